using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Log;

namespace OpenGradient.Engine.Settlement.Custody;

/// <summary>
/// Recomputes the chain of custody of a data folder: every byte of the outbox, every statement, the tree and each published
/// file, every checkpoint, each anchor. Changes nothing and takes no lock; a host may go on working in the folder: what it
/// writes while it is read is looked at as far as it is whole.
/// </summary>
/// <param name="dataFolder">Holds <c>outbox/</c> and <c>log/</c>.</param>
/// <param name="chain">Null: the anchors are not compared with a chain.</param>
public sealed class DataFolderAudit(string dataFolder, AuditTrust trust, EvmChain? chain, IReadOnlyList<WitnessView> witnesses, TimeProvider clock)
{
    /// <summary>Never throws for what is wrong with the folder: the report names the first wrong byte.</summary>
    /// <exception cref="LogUnreachableException">The chain or a witness does not answer.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public Task<AuditReport> RunAsync(CancellationToken cancellationToken) => AuditReport.OfAsync(report => RunAsync(report, cancellationToken));

    private async Task RunAsync(AuditReport report, CancellationToken cancellationToken)
    {
        var files = new FolderLogFiles(Path.Combine(dataFolder, "log"));
        // First, so that everything it covers is in the outbox when that is read.
        var published = await files.ReadAsync(TilePath.Checkpoint, CheckpointNote.MaxSize, cancellationToken).ConfigureAwait(false);
        var size = SizeOf(published);

        var tiles = new TileAudit(files, size, report);
        var checkpoints = new CheckpointAudit(trust, report);
        JournalAudit? journal = null;
        var segments = new SegmentAudit(Path.Combine(dataFolder, "outbox"), report, (position, type, payload) => journal!.ApplyAsync(position, type, payload, cancellationToken));
        var bundles = new BundleAudit(files, size, segments, report);
        journal = new JournalAudit(trust, segments, tiles, bundles, checkpoints, report);
        await segments.RunAsync(clock, cancellationToken).ConfigureAwait(false);

        if (size > tiles.Tree.Size && IsSigned(published!, checkpoints)) throw Short(segments, size, tiles.Tree.Size);
        if (published is not null) checkpoints.ComparePublished(files.NameOf(TilePath.Checkpoint), published);
        await tiles.FinishAsync(cancellationToken).ConfigureAwait(false);
        await bundles.FinishAsync(cancellationToken).ConfigureAwait(false);
        if (report.Missing is { } missing) throw new AuditStoppedException(missing);
        if (published is null && report.Checkpoints > 0) throw new AuditStoppedException(files.NameOf(TilePath.Checkpoint), 0, "a published checkpoint is expected; the file is missing");
        if (chain is not null) await new AnchorAudit(trust, chain, report).RunAsync(journal.Anchors, tiles.Tree, cancellationToken).ConfigureAwait(false);
        if (witnesses.Count > 0 && !checkpoints.LogKey.IsEmpty)
            await new WitnessViewAudit(trust, report).RunAsync(witnesses, tiles.Tree, checkpoints.LogKey, published, cancellationToken).ConfigureAwait(false);
    }

    // The log's own word for more than there is: then it is the outbox that is wrong, and not the file.
    private bool IsSigned(byte[] published, CheckpointAudit checkpoints) =>
        !checkpoints.LogKey.IsEmpty && CheckpointNote.Parse(published).Check(SignedNote.KeyOf(checkpoints.LogKey.Span), trust.Signatures) == SignatureStanding.Valid;

    private static AuditStoppedException Short(SegmentAudit segments, ulong published, ulong leaves) => segments.TailAt is { } tail
        ? new(tail.File, tail.Offset, $"records up to leaf {published}, which a published checkpoint covers, are expected; whole ones end here with {leaves} leaves")
        : new("outbox", null, $"{published} leaves, which a published checkpoint covers, are expected; there are {leaves}: the outbox is an old copy or was cut");

    // A checkpoint that cannot be read is named after the outbox has been: only that knows what should be there.
    private static ulong SizeOf(byte[]? published)
    {
        try
        {
            return published is null ? 0 : CheckpointNote.Parse(published).Size;
        }
        catch (FormatException)
        {
            return 0;
        }
    }
}
