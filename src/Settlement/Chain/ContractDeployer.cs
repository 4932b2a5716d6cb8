using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Settlement.Chain;

/// <summary>Deploys the ledger contract on a development chain. Not journaled: a deployment that was cut off is simply made again.</summary>
public static class ContractDeployer
{
    private const ulong GasLimit = 6_000_000; // twice what the contract takes, below EIP-7825's cap

    /// <summary>The creation bytecode of a compiler artifact (contracts/SettlementLedger.json).</summary>
    /// <exception cref="FormatException">The file is not such an artifact.</exception>
    public static byte[] ReadBytecode(ReadOnlyMemory<byte> artifactJson)
    {
        using var document = JsonDocument.Parse(artifactJson);
        return document.RootElement.TryGetProperty("bytecode", out var text) && text.ValueKind == JsonValueKind.String
            && Hex.TryData(text.GetString()) is { Length: > 0 } bytecode
            ? bytecode
            : throw new FormatException("the contract's artifact has no bytecode");
    }

    /// <summary>Sends the creation and waits until it is in a block.</summary>
    /// <param name="rpc">The node.</param>
    /// <param name="signer">Pays, and becomes owner and registrar.</param>
    /// <param name="bytecode">Creation bytecode.</param>
    /// <param name="clock">Time between two looks at the chain.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="InvalidOperationException">The node refused; the message is the node's.</exception>
    public static async Task<EvmAddress> DeployAsync(
        RpcClient rpc, ITransactionSigner signer, ReadOnlyMemory<byte> bytecode, TimeProvider clock, CancellationToken cancellationToken)
    {
        var replies = await rpc.CallAsync(
            [new("eth_chainId", "[]"), new("eth_getTransactionCount", $"[\"{signer.Address}\",\"latest\"]"), new("eth_gasPrice", "[]")], cancellationToken).ConfigureAwait(false);
        var refusal = replies.FirstOrDefault(reply => !reply.IsOk).Message;
        if (refusal is not null || !Hex.TryQuantity(replies[0].Text, out ulong chainId) || !Hex.TryQuantity(replies[1].Text, out ulong nonce) || !Hex.TryQuantity(replies[2].Text, out UInt128 price))
            throw new InvalidOperationException($"deploying the contract: {refusal ?? "the node's answer is malformed"}");

        var transaction = new Eip1559Transaction(chainId, nonce, price, 2 * price, GasLimit, null, 0, LedgerAbi.Creation(bytecode.Span, signer.Address));
        var raw = transaction.Encode(await signer.SignPayloadAsync(transaction.SigningPayload(), cancellationToken).ConfigureAwait(false));
        var chain = new EvmChain(rpc, default);
        var sent = await chain.SendAsync(raw, cancellationToken).ConfigureAwait(false);
        if (!sent.IsOk) throw new InvalidOperationException($"deploying the contract: {sent.Detail}");
        while (true)
        {
            var receipt = await chain.ReceiptAsync(Eip1559Transaction.HashOf(raw), cancellationToken).ConfigureAwait(false);
            if (receipt is { IsOk: true, Value: { } mined })
                return mined is { Succeeded: true, Created: { } address } ? address : throw new InvalidOperationException("deploying the contract: its creation reverted");
            await Task.Delay(TimeSpan.FromMilliseconds(50), clock, cancellationToken).ConfigureAwait(false);
        }
    }
}
