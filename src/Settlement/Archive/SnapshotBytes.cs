using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>The parts of a snapshot, each in the layout that <see cref="ByteWriter"/> writes (big-endian).</summary>
internal static class SnapshotBytes
{
    public static void Write(SnapshotContent content, SnapshotWriter writer)
    {
        writer.Begin();
        writer.Part(SnapshotPart.Archive, EncodeArchive(content));
        foreach (var epoch in content.Epochs) writer.Part(SnapshotPart.Epoch, new EpochRecord(0, epoch).Encode());
        writer.Part(SnapshotPart.AnchoringEpochs, new ByteWriter().Hashes([.. content.AnchoringEpochs]).ToArray());
        foreach (var operation in content.Operations) writer.Part(SnapshotPart.Operation, operation);
        foreach (var edge in content.Tree.Edge) writer.Part(SnapshotPart.TreeEdge, new ByteWriter().Hashes([.. edge]).ToArray());
        foreach (var (tile, hashes) in content.Tree.Unstored) writer.Part(SnapshotPart.TreeTile, new ByteWriter().U8((byte)tile.Level).U64(tile.Index).Hashes(hashes).ToArray());
        var ordered = content.Statements.OrderBy(statement => statement.Leaf ?? ulong.MaxValue).ThenBy(statement => statement.Position.Segment).ThenBy(statement => statement.Position.Offset);
        foreach (var statement in ordered) writer.Part(SnapshotPart.Statement, EncodeStatement(statement));
        writer.Part(SnapshotPart.Spending, content.Spending);
        foreach (var record in content.Carried)
            writer.Part(SnapshotPart.Carried, new ByteWriter().U32(record.Position.Segment).U32(record.Position.Offset).U8(record.Type).Bytes(record.Payload).ToArray());
        writer.Complete();
    }

    /// <summary>Null when the file is cut or damaged.</summary>
    public static SnapshotContent? Read(SnapshotReader reader, string path, IFullTileReader tiles)
    {
        if (!reader.Begin(path)) return null;
        (RecordPosition, ulong TreeSize, ArchiveContents)? archive = null;
        var (epochs, operations, statements) = (new List<Epoch>(), new List<byte[]>(), new List<StatementCapture>());
        var (edge, unstored) = (new List<Hash256[]>(), new List<KeyValuePair<(int, ulong), Hash256[]>>());
        var (anchoring, spending, carried) = (Array.Empty<Hash256>(), Array.Empty<byte>(), new List<CarriedRecord>());
        while (reader.Next() is var (kind, bytes))
        {
            switch (kind)
            {
                case SnapshotPart.Archive: archive = DecodeArchive(bytes); break;
                case SnapshotPart.Epoch: epochs.Add(EpochRecord.Decode(bytes).Epoch); break;
                case SnapshotPart.AnchoringEpochs: anchoring = HashesOf(bytes); break;
                case SnapshotPart.Operation: operations.Add(bytes); break;
                case SnapshotPart.TreeEdge: edge.Add(HashesOf(bytes)); break;
                case SnapshotPart.TreeTile: unstored.Add(DecodeTile(bytes)); break;
                case SnapshotPart.Statement: statements.Add(DecodeStatement(bytes)); break;
                case SnapshotPart.Spending: spending = bytes; break;
                case SnapshotPart.Carried: carried.Add(DecodeCarried(bytes)); break;
                case SnapshotPart.End when archive is var (position, size, contents):
                    return new(position, contents, epochs, operations, anchoring, statements, TileTree.Restore(tiles, size, edge, unstored), spending, carried);
                case SnapshotPart.End: return null;
                default: throw new ArchiveDamagedException($"{path} has a part of the unknown kind {(byte)kind}; a newer release wrote it");
            }
        }

        return null;
    }

    /// <summary>Only what the first part says: position and archive.</summary>
    public static SnapshotContent? ReadHead(SnapshotReader reader, string path, IFullTileReader tiles)
    {
        if (!reader.Begin(path) || reader.Next() is not (SnapshotPart.Archive, var bytes)) return null;
        var (position, size, contents) = DecodeArchive(bytes);
        return new(position, contents, [], [], [], [], TileTree.Restore(tiles, size, [], []), [], []);
    }

    private static byte[] EncodeArchive(SnapshotContent content)
    {
        var (position, archive) = (content.Position, content.Archive);
        var writer = new ByteWriter().U32(position.Segment).U32(position.Offset).U64(content.Tree.Size)
            .U64(archive.Statements).U64(archive.Operations).U64(archive.BlobEnd).U64((ulong)archive.Receipts).U32((uint)archive.Epochs.Count);
        foreach (var (epoch, newest) in archive.Epochs) writer.Hash(epoch).U64(newest);
        writer.U32(archive.NextRun).U32((uint)archive.Runs.Count);
        foreach (var run in archive.Runs) writer.U32(run.Number).U8(run.Level).U64(run.Count);
        return writer.ToArray();
    }

    private static (RecordPosition, ulong, ArchiveContents) DecodeArchive(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "snapshot: archive");
        var (position, size) = (new RecordPosition(reader.U32(), reader.U32()), reader.U64());
        var (statements, operations, blobs, receipts) = (reader.U64(), reader.U64(), reader.U64(), (long)reader.U64());
        var epochs = new List<(Hash256, ulong)>();
        for (var left = reader.U32(); left > 0; left--) epochs.Add((reader.Hash(), reader.U64()));
        var next = reader.U32();
        var runs = new List<KeyRunName>();
        for (var left = reader.U32(); left > 0; left--) runs.Add(new(reader.U32(), reader.U8(), reader.U64()));
        reader.End();
        return (position, size, new(statements, operations, blobs, receipts, epochs, runs, next));
    }

    private static byte[] EncodeStatement(StatementCapture statement)
    {
        var writer = new ByteWriter().Hash(statement.Id).U32(statement.Position.Segment).U32(statement.Position.Offset).Hash(statement.Epoch).U64(statement.Sequence)
            .U32((uint)statement.Receipts).U64(statement.ExecutedAt).U64(statement.Since).U16(statement.Model.Length).Bytes(statement.Model).U64(statement.DurableAt).U64(statement.VerifiedAt).U64(statement.QuarantinedAt)
            .U64(statement.Leaf + 1 ?? 0).U64(statement.Anchor + 1 ?? 0).U16(statement.Reasons.Count);
        foreach (var reason in statement.Reasons) writer.Text(reason.Text());
        return writer.U32((uint)statement.Rows.Count).U8(statement.Rows.AreNumbered ? (byte)1 : (byte)0).Bytes(RowBytes.Encode(statement.Rows)).ToArray();
    }

    private static StatementCapture DecodeStatement(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "snapshot: statement");
        var (id, position, epoch, sequence) = (reader.Hash(), new RecordPosition(reader.U32(), reader.U32()), reader.Hash(), reader.U64());
        var (receipts, executed, since, model) = ((int)reader.U32(), reader.U64(), reader.U64(), reader.Take(reader.U16()).ToArray());
        var (durable, verified, quarantined) = (reader.U64(), reader.U64(), reader.U64());
        var (leaf, anchor) = (reader.U64(), reader.U64());
        var reasons = new VerificationReason[reader.U16()];
        for (var i = 0; i < reasons.Length; i++) reasons[i] = QuarantinedRecord.ReasonOf(reader.Text());
        var (rows, numbered) = ((int)reader.U32(), reader.U8() == 1);
        return new()
        {
            Id = id, Position = position, Epoch = epoch, Sequence = sequence, Receipts = receipts, ExecutedAt = executed, Since = since, Model = model, DurableAt = durable, VerifiedAt = verified,
            QuarantinedAt = quarantined, Reasons = reasons, Leaf = leaf == 0 ? null : leaf - 1, Anchor = anchor == 0 ? null : anchor - 1,
            Rows = RowBytes.Decode(reader.Take((uint)reader.Remaining), rows, numbered).Capture(),
        };
    }

    private static KeyValuePair<(int, ulong), Hash256[]> DecodeTile(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "snapshot: tile");
        return new((reader.U8(), reader.U64()), reader.Hashes());
    }

    private static CarriedRecord DecodeCarried(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "snapshot: carried record");
        return new(new(reader.U32(), reader.U32()), reader.U8(), reader.Take((uint)reader.Remaining).ToArray());
    }

    private static Hash256[] HashesOf(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "snapshot: hashes");
        return reader.Hashes();
    }
}
