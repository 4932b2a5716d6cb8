using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Log;

namespace OpenGradient.Engine.Settlement.Custody;

/// <summary>Gives the evidence of an epoch, from wherever it can be had; null when it cannot.</summary>
public delegate Task<byte[]?> EvidenceSource(Hash256 epoch, CancellationToken cancellationToken);

/// <summary>
/// Recomputes a published log from its files alone, as anybody can: each entry's statement, the tree and its tiles, the
/// checkpoint, each anchor the chain has. One bundle is in memory at a time.
/// </summary>
/// <param name="logKey">The log's Ed25519 key; its hash is the trusted identity.</param>
/// <param name="chain">Null: the chain is not asked.</param>
public sealed class PublishedLogAudit(
    ILogFiles files, AuditTrust trust, ReadOnlyMemory<byte> logKey, EvidenceSource evidence, EvmChain? chain, IReadOnlyList<WitnessView> witnesses)
{
    private readonly HashSet<Hash256> _asked = [];
    private long _unchecked;

    /// <summary>Never throws for what is wrong with the log: the report names the first wrong byte.</summary>
    /// <exception cref="LogUnreachableException">The log, the chain or a witness does not answer.</exception>
    public Task<AuditReport> RunAsync(CancellationToken cancellationToken) => AuditReport.OfAsync(report => RunAsync(report, cancellationToken));

    private async Task RunAsync(AuditReport report, CancellationToken cancellationToken)
    {
        var name = files.NameOf(TilePath.Checkpoint);
        if (await files.ReadAsync(TilePath.Checkpoint, CheckpointNote.MaxSize, cancellationToken).ConfigureAwait(false) is not { } published)
            throw new AuditStoppedException(name, 0, "a checkpoint is expected; there is none");
        var note = Read(name, published, report);
        var anchors = chain is null ? [] : await new AnchorAudit(trust, chain, report).EventsAsync(cancellationToken).ConfigureAwait(false);
        var tiles = new TileAudit(files, note.Size, report);
        var next = 0;
        for (ulong index = 0; index * TilePath.Width < note.Size; index++)
        {
            foreach (var id in await BundleAsync(index, note.Size, report, cancellationToken).ConfigureAwait(false))
            {
                await tiles.AppendAsync(id, cancellationToken).ConfigureAwait(false);
                for (; next < anchors.Count && anchors[next].Size <= tiles.Tree.Size; next++) Compare(anchors[next], tiles.Tree, report);
            }
        }

        await tiles.FinishAsync(cancellationToken).ConfigureAwait(false);
        if (report.Missing is { } missing) throw new AuditStoppedException(missing);
        if (tiles.Tree.Root != note.Root) throw new AuditStoppedException(name, published.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(Convert.ToBase64String(note.Root.Bytes))), $"the root of the published entries is {Convert.ToBase64String(tiles.Tree.Root.Bytes)}");
        // An anchor of more than is published may be minutes old, or the log shows this reader an old view.
        if (next < anchors.Count) throw new AuditStoppedException(AnchorAudit.Name(anchors[next].At), null, $"at most {note.Size} anchored leaves are expected, {anchors[next].Size} are anchored: the log shows an old view; ask again");
        if (_unchecked > 0) report.Remarks.Add($"{_unchecked} statements' signatures were not checked: no evidence of their epochs is to be had");
        await new WitnessViewAudit(trust, report).RunAsync(witnesses, tiles.Tree, logKey, published, cancellationToken).ConfigureAwait(false);
    }

    private CheckpointNote Read(string name, byte[] published, AuditReport report)
    {
        CheckpointNote note;
        try
        {
            note = CheckpointNote.Parse(published);
        }
        catch (FormatException malformed)
        {
            throw new AuditStoppedException(name, 0, malformed.Message);
        }

        var key = SignedNote.KeyOf(logKey.Span);
        if (note.Origin != key.Name || SignedNote.LogIdOf(logKey.Span) != trust.LogId) throw new AuditStoppedException(name, 0, $"a checkpoint of log {trust.LogId} is expected");
        if (note.Check(key, trust.Signatures) != SignatureStanding.Valid) throw new AuditStoppedException(name, 0, "a signature by the log's key over this text is expected");
        foreach (var witness in trust.Witnesses)
        {
            var standing = note.Check(witness, trust.Signatures);
            if (standing == SignatureStanding.Invalid) throw new AuditStoppedException(name, note.Text.Length + 1, $"the cosignature that names {witness.Name} does not verify");
            if (standing == SignatureStanding.Valid) report.Cosignatures++;
        }

        report.Checkpoints++;
        return note;
    }

    private async Task<List<Hash256>> BundleAsync(ulong index, ulong size, AuditReport report, CancellationToken cancellationToken)
    {
        var width = (int)Math.Min(TilePath.Width, size - (index * TilePath.Width));
        var path = TilePath.Entries(index, width);
        var bytes = await files.ReadAsync(path, EntryBundle.MaxSize, cancellationToken).ConfigureAwait(false);
        if (bytes is null && width < TilePath.Width) bytes = await files.ReadAsync(path = TilePath.Entries(index, TilePath.Width), EntryBundle.MaxSize, cancellationToken).ConfigureAwait(false);
        if (bytes is null) throw new AuditStoppedException(files.NameOf(path), 0, $"a bundle of {width} entries is expected; there is none");
        var entries = EntryBundle.Read(bytes);
        var ids = new List<Hash256>(width);
        foreach (var (offset, entry) in entries.Take(width))
        {
            if (await FailureAsync(entry, cancellationToken).ConfigureAwait(false) is { } failure)
                throw new AuditStoppedException(files.NameOf(path), offset, $"entry {(index * TilePath.Width) + (ulong)ids.Count} is expected to be a statement that holds: {failure}");
            ids.Add(MerkleTree.LeafHash(entry.Span));
            report.Statements++;
        }

        if (ids.Count < width) throw new AuditStoppedException(files.NameOf(path), entries.Count == 0 ? 0 : entries[^1].Offset + entries[^1].Entry.Length, $"{width} entries are expected, {ids.Count} are there");
        report.Bundles++;
        return ids;
    }

    private async Task<string?> FailureAsync(ReadOnlyMemory<byte> entry, CancellationToken cancellationToken)
    {
        Statement statement;
        try
        {
            statement = Statement.Decode(entry.Span);
        }
        catch (FormatException malformed)
        {
            return malformed.Message;
        }

        if (trust.Epochs.SigningKey(statement.Epoch) is null && _asked.Add(statement.Epoch) && await evidence(statement.Epoch, cancellationToken).ConfigureAwait(false) is { } found)
        {
            if (trust.Epochs.Add(found) is { Count: > 0 } reasons) return $"the evidence of its epoch is not accepted: {string.Join(", ", reasons.Select(reason => reason.Text()))}";
        }

        if (trust.Epochs.SigningKey(statement.Epoch) is not null) return trust.Epochs.Verify(entry) is { Count: > 0 } why ? string.Join(", ", why.Select(reason => reason.Text())) : null;
        if (statement.LogId != trust.LogId) return VerificationReason.LogNotTrusted.Text();
        _unchecked++;
        return null;
    }

    private static void Compare((ulong Size, Hash256 Root, Hash256 PreviousHead, AnchorClaim At) anchor, TileTree tree, AuditReport report)
    {
        report.Anchors++;
        if (anchor.Size != tree.Size || anchor.Root != tree.Root)
            throw new AuditStoppedException(AnchorAudit.Name(anchor.At), null, $"root {tree.Root} is expected at size {tree.Size}, root {anchor.Root} of size {anchor.Size} is anchored");
    }
}
