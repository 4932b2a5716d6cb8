using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Settlement.Chain;

/// <summary>The few questions the settler asks a node. Never throws for what the node says. Safe for concurrent calls.</summary>
public sealed class EvmChain(RpcClient rpc, EvmAddress contract)
{
    public EvmAddress Contract => contract;

    /// <summary>Everything one tick needs, in one batch call.</summary>
    public Task<ChainAnswer<ChainObservation>> ObserveAsync(
        EvmAddress account, Hash256 logId, bool askFinalized, IReadOnlyCollection<Hash256> transactions, CancellationToken cancellationToken) =>
        ObserveAsync(account, logId, askFinalized ? FinalityTag.Finalized : null, transactions, cancellationToken);

    /// <summary>The same with the tag to ask for; null asks for none.</summary>
    public async Task<ChainAnswer<ChainObservation>> ObserveAsync(
        EvmAddress account, Hash256 logId, FinalityTag? tag, IReadOnlyCollection<Hash256> transactions, CancellationToken cancellationToken)
    {
        var hashes = transactions.ToArray();
        var requests = new List<RpcRequest>
        {
            new("eth_chainId", "[]"),
            new("eth_getBlockByNumber", "[\"latest\",false]"),
            new("eth_getTransactionCount", $"[\"{account}\",\"latest\"]"),
            new("eth_getBalance", $"[\"{account}\",\"latest\"]"),
            new("eth_call", $"[{{\"to\":\"{contract}\",\"data\":\"{Hex.Data(LedgerAbi.Head(logId))}\"}},\"latest\"]"),
            tag switch
            {
                FinalityTag.Finalized => new("eth_getBlockByNumber", "[\"finalized\",false]"),
                FinalityTag.Safe => new("eth_getBlockByNumber", "[\"safe\",false]"),
                _ => new("eth_chainId", "[]"),
            },
        };
        requests.AddRange(hashes.Select(hash => new RpcRequest("eth_getTransactionReceipt", $"[\"0x{hash}\"]")));
        var replies = await rpc.CallAsync(requests, cancellationToken).ConfigureAwait(false);
        return Read(replies, tag is not null, hashes);
    }

    /// <summary>Gas that the call would take now, or why it would fail: the simulation before every first attempt.</summary>
    public async Task<ChainAnswer<ulong>> EstimateGasAsync(EvmAddress from, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        var reply = await rpc.CallAsync(
            new RpcRequest("eth_estimateGas", $"[{{\"from\":\"{from}\",\"to\":\"{contract}\",\"data\":\"{Hex.Data(data.Span)}\"}},\"latest\"]"), cancellationToken).ConfigureAwait(false);
        return Hex.TryQuantity(reply.Text, out ulong gas) ? new(true, gas, false, "") : Trouble<ulong>(reply);
    }

    public async Task<ChainAnswer<bool>> SendAsync(ReadOnlyMemory<byte> raw, CancellationToken cancellationToken)
    {
        var reply = await rpc.CallAsync(new RpcRequest("eth_sendRawTransaction", $"[\"{Hex.Data(raw.Span)}\"]"), cancellationToken).ConfigureAwait(false);
        return reply.IsOk ? new(true, true, false, "") : Trouble<bool>(reply);
    }

    public async Task<ChainAnswer<TransactionReceipt?>> ReceiptAsync(Hash256 transaction, CancellationToken cancellationToken)
    {
        var reply = await rpc.CallAsync(new RpcRequest("eth_getTransactionReceipt", $"[\"0x{transaction}\"]"), cancellationToken).ConfigureAwait(false);
        return reply.IsOk ? new(true, ChainJson.Receipt(reply.Result), false, "") : Trouble<TransactionReceipt?>(reply);
    }

    /// <summary>What the contract says of each key, in the order asked.</summary>
    public async Task<ChainAnswer<RegisteredKey[]>> KeysAsync(IReadOnlyList<EvmAddress> signers, CancellationToken cancellationToken)
    {
        var requests = signers.Select(signer => new RpcRequest("eth_call", $"[{{\"to\":\"{contract}\",\"data\":\"{Hex.Data(LedgerAbi.KeyInfo(signer))}\"}},\"latest\"]")).ToArray();
        var replies = await rpc.CallAsync(requests, cancellationToken).ConfigureAwait(false);
        var keys = new RegisteredKey[replies.Length];
        for (var i = 0; i < replies.Length; i++)
        {
            if (!replies[i].IsOk) return Trouble<RegisteredKey[]>(replies[i]);
            if (Hex.TryData(replies[i].Text) is not { } data || LedgerAbi.DecodeKeyInfo(data) is not { } key) return Malformed<RegisteredKey[]>("eth_call");
            keys[i] = key;
        }

        return new(true, keys, false, "");
    }

    /// <summary>
    /// False when there is a contract that does not know a call which this build's ledger has: an earlier release's, whose
    /// anchors cannot be read. A contract that is not there yet is not judged.
    /// </summary>
    public async Task<ChainAnswer<bool>> IsLedgerAsync(Hash256 logId, CancellationToken cancellationToken)
    {
        var reply = await rpc.CallAsync(new RpcRequest("eth_call", $"[{{\"to\":\"{contract}\",\"data\":\"{Hex.Data(AdministrationAbi.IsHalted(logId))}\"}},\"latest\"]"), cancellationToken).ConfigureAwait(false);
        if (reply.IsOk) return new(true, true, false, "");
        return reply.Message?.Contains("revert", StringComparison.OrdinalIgnoreCase) == true ? new(true, false, false, "") : Trouble<bool>(reply);
    }

    /// <summary>The contract's events of one kind for one log, oldest first.</summary>
    public Task<ChainAnswer<List<ChainEvent>>> EventsAsync(Hash256 topic, Hash256 logId, ulong fromBlock, CancellationToken cancellationToken) =>
        EventsAsync($"\"0x{topic}\",\"0x{logId}\"", fromBlock, cancellationToken);

    /// <summary>The log's accepted anchors, oldest first.</summary>
    public async Task<ChainAnswer<List<ChainEvent>>> AnchorsAsync(Hash256 logId, ulong fromBlock, CancellationToken cancellationToken)
    {
        var answer = await EventsAsync($"\"0x{logId}\"", fromBlock, cancellationToken).ConfigureAwait(false);
        return answer.IsOk && answer.Value.Exists(item => item.Anchored(logId) is null) ? Malformed<List<ChainEvent>>("eth_getLogs") : answer;
    }

    /// <summary>Every log that was ever given a key, in the order of its first one.</summary>
    public async Task<ChainAnswer<List<Hash256>>> LogsAsync(ulong fromBlock, CancellationToken cancellationToken)
    {
        var answer = await EventsAsync($"\"0x{LedgerAbi.KeyRegisteredTopic}\"", fromBlock, cancellationToken).ConfigureAwait(false);
        if (!answer.IsOk) return new(false, default!, answer.Refused, answer.Detail);
        return answer.Value.Exists(item => item.Topics.Length < 2) ? Malformed<List<Hash256>>("eth_getLogs") : new(true, [.. answer.Value.Select(item => item.Topics[1]).Distinct()], false, "");
    }

    private async Task<ChainAnswer<List<ChainEvent>>> EventsAsync(string topics, ulong fromBlock, CancellationToken cancellationToken)
    {
        var filter = $"[{{\"address\":\"{contract}\",\"fromBlock\":\"{Hex.Quantity(fromBlock)}\",\"toBlock\":\"latest\",\"topics\":[{topics}]}}]";
        var reply = await rpc.CallAsync(new RpcRequest("eth_getLogs", filter), cancellationToken).ConfigureAwait(false);
        if (!reply.IsOk) return Trouble<List<ChainEvent>>(reply);
        return ChainJson.Events(reply.Result) is { } events ? new(true, events, false, "") : Malformed<List<ChainEvent>>("eth_getLogs");
    }

    private static ChainAnswer<ChainObservation> Read(RpcReply[] replies, bool askFinalized, Hash256[] hashes)
    {
        // A chain without the finalized tag answers that one request with an error; that is an answer.
        for (var i = 0; i < replies.Length; i++)
            if (!replies[i].IsOk && !(i == 5 && replies[i].Status == RpcStatus.Error)) return Trouble<ChainObservation>(replies[i]);

        if (!Hex.TryQuantity(replies[0].Text, out ulong chainId)) return Malformed<ChainObservation>("eth_chainId");
        var block = replies[1].Result;
        if (block.ValueKind != JsonValueKind.Object || ChainJson.Number(block, "number") is not { } number || ChainJson.Hash(block, "hash") is not { } blockHash)
            return Malformed<ChainObservation>("eth_getBlockByNumber");
        if (!Hex.TryQuantity(replies[2].Text, out ulong nonce)) return Malformed<ChainObservation>("eth_getTransactionCount");
        if (!Hex.TryQuantity(replies[3].Text, out UInt128 balance)) return Malformed<ChainObservation>("eth_getBalance");
        if (Hex.TryData(replies[4].Text) is not { } head) return Malformed<ChainObservation>("eth_call");

        ulong? finalized = askFinalized && replies[5].IsOk && replies[5].Result.ValueKind == JsonValueKind.Object ? ChainJson.Number(replies[5].Result, "number") : null;
        var receipts = new Dictionary<Hash256, TransactionReceipt>();
        for (var i = 0; i < hashes.Length; i++)
        {
            // Only an explicit null says that there is none: rubbish must not look like a reorganisation.
            if (replies[6 + i].Result.ValueKind == JsonValueKind.Null) continue;
            if (ChainJson.Receipt(replies[6 + i].Result) is not { } receipt || receipt.Transaction != hashes[i]) return Malformed<ChainObservation>("eth_getTransactionReceipt");
            receipts[hashes[i]] = receipt;
        }

        return new(true, new(chainId, number, blockHash, ChainJson.Number(block, "baseFeePerGas") ?? 0, finalized, nonce, balance, LedgerAbi.DecodeHead(head), receipts), false, "");
    }

    private static ChainAnswer<T> Malformed<T>(string method) => new(false, default!, false, $"{method}: the node's answer is malformed");

    private static ChainAnswer<T> Trouble<T>(RpcReply reply) => reply.IsOk
        ? new(false, default!, false, "the node's answer is malformed")
        : new(false, default!, reply.Status == RpcStatus.Error, reply.Message ?? "no message", Hex.TryData(reply.ErrorData));
}
