using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Log;

namespace OpenGradient.Engine.Settlement.Custody;

/// <summary>Compares anchors with the chain: each event in its block, and the contract's head.</summary>
internal sealed class AnchorAudit(AuditTrust trust, EvmChain chain, AuditReport report)
{
    // Receipts per question: some 100 KB of answer.
    private const int Batch = 64;

    /// <exception cref="LogUnreachableException">The node does not answer.</exception>
    public async Task RunAsync(IEnumerable<AuditedAnchor> anchors, TileTree tree, CancellationToken cancellationToken)
    {
        foreach (var some in anchors.Chunk(Batch))
        {
            var seen = await ObserveAsync([.. some.Select(anchor => anchor.At.Transaction)], cancellationToken).ConfigureAwait(false);
            foreach (var anchor in some) Compare(anchor, seen);
        }

        Head((await ObserveAsync([], cancellationToken).ConfigureAwait(false)).Head?.Head ?? default, tree);
        report.ChainAsked = true;
    }

    /// <summary>The contract's own list of this log's anchors, oldest first.</summary>
    /// <exception cref="LogUnreachableException">The node does not answer.</exception>
    public async Task<List<(ulong Size, Hash256 Root, Hash256 PreviousHead, AnchorClaim At)>> EventsAsync(CancellationToken cancellationToken)
    {
        await ObserveAsync([], cancellationToken).ConfigureAwait(false);
        var answer = await chain.AnchorsAsync(trust.LogId, 0, cancellationToken).ConfigureAwait(false);
        if (!answer.IsOk) throw new LogUnreachableException($"the chain does not answer: {answer.Detail}");
        var events = new List<(ulong, Hash256, Hash256, AnchorClaim)>();
        var head = LogHead.Empty;
        foreach (var item in answer.Value)
        {
            // An event does not name the head that it built on: the contract accepted it on the one before.
            var (size, root) = item.Anchored(trust.LogId) ?? throw new LogUnreachableException("the node's answer is malformed");
            if (size <= LogHead.SizeOf(head)) throw new AuditStoppedException(Name(item.At), null, $"an anchor of more than {LogHead.SizeOf(head)} leaves is expected, of {size} is there");
            events.Add((size, root, head, item.At));
            head = LogHead.Pack(root, size);
        }

        report.ChainAsked = true;
        return events;
    }

    public static string Name(AnchorClaim at) => $"chain, transaction 0x{at.Transaction}";

    private void Compare(AuditedAnchor anchor, ChainObservation seen)
    {
        report.Anchors++;
        var there = seen.Receipts.TryGetValue(anchor.At.Transaction, out var receipt) && receipt.Succeeded
            && receipt.Events.Any(item => item.Contract == trust.Contract && item.At == anchor.At && item.Anchored(trust.LogId) == (anchor.Size, anchor.Root));
        if (there) return;
        var what = $"the anchor of size {anchor.Size}, root {anchor.Root}, is expected in block {anchor.At.BlockNumber} 0x{anchor.At.BlockHash}";
        if (anchor.IsFinal) throw new AuditStoppedException(Name(anchor.At), null, what);
        report.Remarks.Add($"{Name(anchor.At)}: {what}; it was not final yet, a reorganisation may have moved it");
    }

    private void Head(Hash256 head, TileTree tree)
    {
        if (head.IsZero) head = LogHead.Empty;
        var size = LogHead.SizeOf(head);
        if (size > tree.Size) throw new AuditStoppedException($"chain, contract {trust.Contract}", null, $"at most {tree.Size} anchored leaves are expected, {size} are there: the outbox is an old copy");
        if (LogHead.Pack(tree.RootAt(size), size) != head) throw new AuditStoppedException($"chain, contract {trust.Contract}", null, $"the head of this log at size {size} is expected to be {LogHead.Pack(tree.RootAt(size), size)}, {head} is there");
    }

    private async Task<ChainObservation> ObserveAsync(Hash256[] transactions, CancellationToken cancellationToken)
    {
        var seen = await chain.ObserveAsync(default, trust.LogId, askFinalized: false, transactions, cancellationToken).ConfigureAwait(false);
        if (!seen.IsOk) throw new LogUnreachableException($"the chain does not answer: {seen.Detail}");
        if (seen.Value.ChainId != trust.ChainId) throw new AuditStoppedException("chain", null, $"chain {trust.ChainId} is expected, the node serves {seen.Value.ChainId}");
        return seen.Value;
    }
}
