using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Custody;

/// <summary>Compares published entry bundles with the outbox's statements, 256 at a time.</summary>
/// <param name="published">Leaves under the published checkpoint: what must be there.</param>
internal sealed class BundleAudit(ILogFiles files, ulong published, SegmentAudit segments, AuditReport report)
{
    private readonly List<(Hash256 Id, RecordPosition Position)> _entries = [];
    private ulong _index;

    public async Task AppendAsync(Hash256 id, RecordPosition position, CancellationToken cancellationToken)
    {
        _entries.Add((id, position));
        if (_entries.Count < TilePath.Width) return;
        await CompareAsync(cancellationToken).ConfigureAwait(false);
        _entries.Clear();
        _index++;
    }

    /// <summary>Compares what is there of the last bundle.</summary>
    public Task FinishAsync(CancellationToken cancellationToken) => CompareAsync(cancellationToken);

    private async Task CompareAsync(CancellationToken cancellationToken)
    {
        var full = TilePath.Entries(_index, TilePath.Width);
        foreach (var width in files.PartialWidths(full)) await CompareAsync(width, required: false, cancellationToken).ConfigureAwait(false);
        var begins = _index * TilePath.Width;
        var hasFull = _entries.Count == TilePath.Width && await CompareAsync(TilePath.Width, begins + TilePath.Width <= published, cancellationToken).ConfigureAwait(false);
        if (!hasFull && published > begins && published - begins < TilePath.Width) await CompareAsync((int)(published - begins), required: true, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> CompareAsync(int width, bool required, CancellationToken cancellationToken)
    {
        var path = TilePath.Entries(_index, width);
        if (await files.ReadAsync(path, EntryBundle.MaxSize, cancellationToken).ConfigureAwait(false) is not { } bytes)
        {
            if (required) report.Missing ??= new(files.NameOf(path), 0, $"a bundle of {width} entries is expected; the file is missing");
            return false;
        }

        if (width > _entries.Count) throw new AuditStoppedException(files.NameOf(path), 0, $"the log has only {_entries.Count} entries of this bundle");
        var read = EntryBundle.Read(bytes);
        var end = read.Count == 0 ? 0 : read[^1].Offset + read[^1].Entry.Length;
        var equal = read.Count == width && end == bytes.Length;
        for (var i = 0; i < width && equal; i++) equal = MerkleTree.LeafHash(read[i].Entry.Span) == _entries[i].Id;
        if (!equal) throw Wrong(path, bytes, width);
        report.Bundles++;
        return true;
    }

    // The outbox has the statements themselves: the first byte that differs.
    private AuditStoppedException Wrong(string path, byte[] bytes, int width)
    {
        var expected = EntryBundle.Write(_entries.Take(width).Select(entry => StatementRecord.StatementOf(segments.Payload(entry.Position))));
        var at = bytes.AsSpan().CommonPrefixLength(expected);
        return new(files.NameOf(path), at, at == bytes.Length ? $"{expected.Length} bytes expected, {bytes.Length} are there"
            : at == expected.Length ? $"the end of the file expected after {at} bytes, {bytes.Length} are there"
            : $"0x{expected[at]:x2} expected, 0x{bytes[at]:x2} is there");
    }
}
