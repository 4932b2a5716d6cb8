using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Settlement.Chain;

/// <summary>Who administers the contract now.</summary>
/// <param name="PendingOwner">Whom ownership was offered to; zero for nobody.</param>
/// <param name="Paused">Whether registering is stopped.</param>
/// <param name="Logs">Every log that has ever had a key, and whether it is halted.</param>
public sealed record LedgerAdministration(EvmAddress Owner, EvmAddress PendingOwner, EvmAddress Registrar, bool Paused, IReadOnlyList<(Hash256 LogId, bool Halted)> Logs);

/// <summary>
/// What people do to the contract by hand: pausing, halting, handing over, revoking, convicting. Not journaled: each call is
/// sent once and waited for, and safe to repeat.
/// </summary>
/// <param name="rpc">The node.</param>
/// <param name="contract">The ledger.</param>
/// <param name="clock">Time between two looks at the chain.</param>
public sealed class LedgerAdministrator(RpcClient rpc, EvmAddress contract, TimeProvider clock)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Reads the contract's administration.</summary>
    /// <param name="fromBlock">Where the contract's registrations begin; 0 asks for all, which not every public node answers.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="InvalidOperationException">The node does not answer, or there is no such contract; the message says which.</exception>
    public async Task<LedgerAdministration> ReadAsync(ulong fromBlock, CancellationToken cancellationToken)
    {
        var chain = new EvmChain(rpc, contract);
        var logs = await chain.LogsAsync(fromBlock, cancellationToken).ConfigureAwait(false);
        if (!logs.IsOk) throw new InvalidOperationException($"reading the contract's logs: {logs.Detail}");
        byte[][] calls =
        [
            AdministrationAbi.Owner(), AdministrationAbi.PendingOwner(), AdministrationAbi.Registrar(), AdministrationAbi.Paused(),
            .. logs.Value.Select(logId => AdministrationAbi.IsHalted(logId)),
        ];
        var replies = await rpc.CallAsync([.. calls.Select(call => new RpcRequest("eth_call", $"[{{\"to\":\"{contract}\",\"data\":\"{Hex.Data(call)}\"}},\"latest\"]"))], cancellationToken).ConfigureAwait(false);
        var refusal = replies.FirstOrDefault(reply => !reply.IsOk).Message;
        if (refusal is not null) throw new InvalidOperationException($"reading the contract: {refusal}");
        byte[] Answer(int index) => Hex.TryData(replies[index].Text) ?? [];
        EvmAddress Address(int index) => AdministrationAbi.DecodeAddress(Answer(index)) ?? throw NoContract();
        bool Flag(int index) => AdministrationAbi.DecodeBool(Answer(index)) ?? throw NoContract();
        return new(Address(0), Address(1), Address(2), Flag(3), [.. logs.Value.Select((logId, index) => (logId, Flag(4 + index)))]);
    }

    /// <summary>Sends a call and waits until it is in a block.</summary>
    /// <param name="signer">Pays; must hold the role that the call asks for.</param>
    /// <param name="chainId">Refused when the node serves another.</param>
    /// <param name="call">Of <see cref="AdministrationAbi"/>, <see cref="AdjudicationAbi"/> or <see cref="LedgerAbi"/>.</param>
    /// <param name="maxFeePerGas">Wei that are never exceeded.</param>
    /// <param name="cancellationToken">Ends the waiting; the transaction may be mined all the same.</param>
    /// <returns>The transaction's hash.</returns>
    /// <exception cref="InvalidOperationException">The contract or the node refuses; the message names the contract's error.</exception>
    /// <exception cref="TransactionSigningException">The signer does not sign.</exception>
    public async Task<Hash256> SendAsync(ITransactionSigner signer, ulong chainId, ReadOnlyMemory<byte> call, UInt128 maxFeePerGas, CancellationToken cancellationToken)
    {
        var chain = new EvmChain(rpc, contract);
        var seen = await chain.ObserveAsync(signer.Address, Hash256.Zero, askFinalized: false, [], cancellationToken).ConfigureAwait(false);
        if (!seen.IsOk) throw new InvalidOperationException($"the chain does not answer: {seen.Detail}");
        if (seen.Value.ChainId != chainId) throw new InvalidOperationException($"the node serves chain {seen.Value.ChainId}, not chain {chainId}");
        if (seen.Value.Head is null) throw NoContract();
        var gas = await chain.EstimateGasAsync(signer.Address, call, cancellationToken).ConfigureAwait(false);
        if (!gas.IsOk) throw new InvalidOperationException(LedgerErrors.NameOf(gas.RevertData.Span) is { } name ? $"the contract refuses with {name}" : gas.Detail);

        var tip = UInt128.Min(1_000_000_000, maxFeePerGas);
        var fee = UInt128.Min((2 * seen.Value.BaseFee) + tip, maxFeePerGas);
        var transaction = new Eip1559Transaction(chainId, seen.Value.Nonce, tip, fee, gas.Value + (gas.Value / 4), contract, 0, call);
        var raw = transaction.Encode(await signer.SignPayloadAsync(transaction.SigningPayload(), cancellationToken).ConfigureAwait(false));
        var sent = await chain.SendAsync(raw, cancellationToken).ConfigureAwait(false);
        if (!sent.IsOk && sent.Refused) throw new InvalidOperationException($"the node refuses the transaction: {sent.Detail}");
        var hash = Eip1559Transaction.HashOf(raw);
        while (true)
        {
            var receipt = await chain.ReceiptAsync(hash, cancellationToken).ConfigureAwait(false);
            if (receipt is { IsOk: true, Value: { } mined })
                return mined.Succeeded ? hash : throw new InvalidOperationException($"transaction 0x{hash} reverted");
            await Task.Delay(Pause, clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private InvalidOperationException NoContract() => new($"there is no ledger contract at {contract}");
}
