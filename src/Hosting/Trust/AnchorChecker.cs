using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Hosting.Trust;

/// <summary>Checks a bundle's anchor against a node: step 7 of docs/formats.md, "Verification".</summary>
public static class AnchorChecker
{
    /// <summary>Every reason why the anchor does not hold; empty when it does. Bytes are trusted to be checked already.</summary>
    public static async Task<IReadOnlyList<VerificationFailure>> Check(ReceiptBundle bundle, TrustPolicy trust, RpcClient rpc, CancellationToken cancellation)
    {
        if (bundle.Anchor is not { } anchor || bundle.Checkpoint is not { } checkpoint)
            return [new VerificationFailure(VerificationReason.AnchorMissing, "the bundle has no anchor")];

        var logId = Statement.Decode(bundle.Receipt.Statement.Span).LogId;
        var chain = new EvmChain(rpc, trust.Contract);
        var seen = await chain.ObserveAsync(default, logId, trust.FinalityDepth == 0, [anchor.Transaction], cancellation).ConfigureAwait(false);
        if (!seen.IsOk) return [new VerificationFailure(VerificationReason.ChainUnreachable, seen.Detail)];
        if (seen.Value.ChainId != trust.ChainId)
            return [new VerificationFailure(VerificationReason.ChainIdMismatch, $"the node is on chain {seen.Value.ChainId}, trusted is {trust.ChainId}")];
        if (!seen.Value.Receipts.TryGetValue(anchor.Transaction, out var receipt))
            return [new VerificationFailure(VerificationReason.AnchorNotFound, $"transaction 0x{anchor.Transaction} is in no block")];

        var failures = new List<VerificationFailure>();
        if (receipt.BlockHash != anchor.BlockHash || receipt.BlockNumber != anchor.BlockNumber)
            failures.Add(new VerificationFailure(VerificationReason.AnchorNotCanonical, $"the transaction is in block {receipt.BlockNumber} 0x{receipt.BlockHash}, not in the one the bundle names"));
        if (!receipt.Succeeded || !receipt.Events.Any(entry => IsAnchor(entry, anchor, checkpoint, logId, trust.Contract)))
            failures.Add(new VerificationFailure(VerificationReason.AnchorMismatch, "the transaction did not anchor this checkpoint of this log at that place"));
        if (trust.RequiredStage == ReceiptStage.Final && !IsFinal(seen.Value, anchor.BlockNumber, trust.FinalityDepth))
            failures.Add(new VerificationFailure(VerificationReason.AnchorNotFinal, $"block {anchor.BlockNumber} is not final yet: the chain is at {seen.Value.BlockNumber}"));
        failures.AddRange(await CheckKeys(bundle, logId, chain, cancellation).ConfigureAwait(false));
        return failures;
    }

    // The contract is where a key is revoked or convicted. The checkpoint's key anchored, so it must be registered, with the
    // evidence that is shown; an epoch that ended before its registration is known by the checkpoint that covers its statements.
    private static async Task<IReadOnlyList<VerificationFailure>> CheckKeys(ReceiptBundle bundle, Hash256 logId, EvmChain chain, CancellationToken cancellation)
    {
        var evidences = new[] { bundle.CheckpointEvidence ?? bundle.Evidence!, bundle.Evidence! };
        var signers = evidences.Select(evidence => EvmAddress.OfPublicKey(EpochBinding.Decode(evidence.Binding.Span).SigningKey.Span)).ToArray();
        var keys = await chain.KeysAsync(signers, cancellation).ConfigureAwait(false);
        if (!keys.IsOk) return [new VerificationFailure(VerificationReason.ChainUnreachable, keys.Detail)];

        var failures = new List<VerificationFailure>();
        for (var i = 0; i < evidences.Length; i++)
        {
            if (i == 1 && signers[1] == signers[0]) break;
            var (key, evidence) = (keys.Value[i], evidences[i]);
            if (key.Standing == KeyStanding.Faulty) failures.Add(new VerificationFailure(VerificationReason.KeyFaulty, $"key {signers[i]} was convicted of equivocation"));
            if (key.Standing == KeyStanding.Revoked) failures.Add(new VerificationFailure(VerificationReason.KeyRevoked, $"key {signers[i]} was revoked"));
            var registered = key.Standing != KeyStanding.None && key.LogId == logId && key.Epoch == evidence.Epoch && key.EvidenceDigest == Hash256.Sha256(evidence.Encode());
            if (!registered && (i == 0 || key.Standing != KeyStanding.None))
                failures.Add(new VerificationFailure(VerificationReason.KeyNotRegistered, $"key {signers[i]} is not registered for this log with the evidence that is shown"));
        }

        return failures;
    }

    private static bool IsAnchor(ChainEvent entry, AnchorClaim anchor, SignedCheckpoint checkpoint, Hash256 logId, EvmAddress contract) =>
        entry.Contract == contract
        && entry.At == anchor
        && entry.Anchored(logId) == (checkpoint.Size, checkpoint.Root);

    private static bool IsFinal(ChainObservation seen, ulong block, ulong depth) =>
        depth == 0 ? seen.FinalizedNumber >= block : seen.BlockNumber + 1 >= block + depth;
}
