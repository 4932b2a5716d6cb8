using System.Buffers.Binary;
using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>
/// Final statements and their anchors outside of memory, in the order of their leaves. Derived from the journal; how far
/// it is valid, a snapshot says. One thread appends; any thread reads, without the state's lock.
/// </summary>
internal sealed class StatementArchive(IDisk disk, string folder) : IDisposable
{
    private const int PointerSize = 24; // of an operation: u64 place, u32 length, u32 CRC32C of its bytes, zero, u32 CRC32C of this

    private readonly FixedSeries _statements = new(disk, folder, "statements", ArchivedStatement.Size);
    private readonly FixedSeries _operations = new(disk, folder, "operations", PointerSize);
    private readonly BlobSeries _blobs = new(disk, folder, "blobs");
    private readonly KeyIndex _keys = new(disk, folder);
    private readonly Lock _gate = new(); // guards what follows
    private readonly List<Hash256> _epochs = [];
    private readonly Dictionary<Hash256, (uint Number, ulong Newest)> _epochNumbers = [];
    private ulong _count;
    private ulong _operationCount;

    /// <summary>Leaves 0 to this are here.</summary>
    public ulong Statements => Volatile.Read(ref _count);

    /// <summary>Operations 0 to this are here.</summary>
    public ulong Operations => Volatile.Read(ref _operationCount);

    /// <summary>Receipts that the statements here cover.</summary>
    public long Receipts { get; private set; }

    public string Folder => folder;

    /// <summary>
    /// False when no statement of this epoch with this sequence can be here: sequences of an epoch only grow, so new
    /// statements are told from old ones without reading anything.
    /// </summary>
    public bool MayHold(in Hash256 epoch, ulong sequence)
    {
        lock (_gate) return _epochNumbers.TryGetValue(epoch, out var known) && sequence <= known.Newest;
    }

    /// <summary>Before the first append.</summary>
    public void Begin() => disk.CreateFolder(folder);

    /// <summary>Appends the statements of the next leaves; they can be found when this returns.</summary>
    public void Append(IReadOnlyList<StatementCapture> statements)
    {
        var records = new byte[statements.Count * ArchivedStatement.Size];
        var keys = new List<ArchiveKey>(statements.Count * 2);
        for (var i = 0; i < statements.Count; i++)
        {
            var captured = statements[i];
            var leaf = _count + (ulong)i;
            if (captured.Leaf != leaf) throw new InvalidOperationException($"archive: leaf {captured.Leaf} was given where leaf {leaf} comes next");
            var rows = RowBytes.Encode(captured.Rows);
            RecordOf(captured, leaf, _blobs.Append(rows), Checksum(rows)).Write(records.AsSpan(i * ArchivedStatement.Size));
            keys.Add(ArchiveKey.Of(captured.Id, leaf));
            for (var row = 0; row < captured.Rows.Count; row++) keys.Add(ArchiveKey.Of(captured.Rows.Receipts[row], leaf, row));
        }

        _statements.Append(_count, records);
        _keys.Add(CollectionsMarshal.AsSpan(keys));
        Volatile.Write(ref _count, _count + (ulong)statements.Count);
        Receipts += statements.Sum(statement => (long)statement.Receipts);
    }

    /// <summary>Keeps look-ups short; may take seconds in a large archive.</summary>
    public void Merge() => _keys.MergeDue();

    public void Append(ChainOperation operation)
    {
        var bytes = OperationBytes.Encode(operation);
        var pointer = new byte[PointerSize];
        BinaryPrimitives.WriteUInt64LittleEndian(pointer, _blobs.Append(bytes));
        BinaryPrimitives.WriteInt32LittleEndian(pointer.AsSpan(8), bytes.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(pointer.AsSpan(12), Checksum(bytes));
        BinaryPrimitives.WriteUInt32LittleEndian(pointer.AsSpan(20), Checksum(pointer.AsSpan(0, 20)));
        _operations.Append(_operationCount, pointer);
        Volatile.Write(ref _operationCount, _operationCount + 1);
    }

    public ArchivedStatement? Find(in Hash256 id) =>
        Statements > 0 && _keys.Find(ArchiveKey.Of(id, 0)) is { } key && Read(key.Number) is var found && found.Id == id ? found : null;

    public (ArchivedStatement Statement, StatementRow Row)? Find(in ReceiptId id)
    {
        if (Statements == 0 || _keys.Find(ArchiveKey.Of(id, 0, 0)) is not { } key) return null;
        var statement = Read(key.Number);
        var row = RowBytes.RowAt(RowsOf(statement), key.Row, statement.Rows, statement.RowsAreNumbered);
        return row.Receipt == id ? (statement, row) : null;
    }

    /// <exception cref="ArchiveDamagedException">The record is not what was written.</exception>
    public ArchivedStatement Read(ulong leaf)
    {
        Span<byte> record = stackalloc byte[ArchivedStatement.Size];
        _statements.Read(leaf, record);
        return ArchivedStatement.Decode(record, leaf) ?? throw ArchiveDamagedException.At(_statements.PathOf(leaf), $"the record of leaf {leaf} is damaged");
    }

    public Hash256 EpochOf(ArchivedStatement statement)
    {
        lock (_gate) return _epochs[(int)statement.Epoch];
    }

    public RowSet ReadRows(ArchivedStatement statement) => RowBytes.Decode(RowsOf(statement), statement.Rows, statement.RowsAreNumbered);

    public ChainOperation ReadOperation(ulong id)
    {
        Span<byte> pointer = stackalloc byte[PointerSize];
        _operations.Read(id, pointer);
        if (BinaryPrimitives.ReadUInt32LittleEndian(pointer[20..]) != Checksum(pointer[..20])) throw ArchiveDamagedException.At(_operations.PathOf(id), $"the record of operation {id} is damaged");
        var place = BinaryPrimitives.ReadUInt64LittleEndian(pointer);
        var bytes = ReadBlob(place, BinaryPrimitives.ReadInt32LittleEndian(pointer[8..]), BinaryPrimitives.ReadUInt32LittleEndian(pointer[12..]), $"operation {id}");
        return OperationBytes.Decode(bytes);
    }

    /// <summary>Makes everything durable that <see cref="Describe"/> speaks of.</summary>
    public void Sync()
    {
        disk.CreateFolder(folder);
        _blobs.Sync();
        _statements.Sync();
        _operations.Sync();
        _keys.Sync();
        disk.SyncFolder(folder);
    }

    public ArchiveContents Describe()
    {
        lock (_gate)
            return new(_count, _operationCount, _blobs.End, Receipts, [.. _epochs.Select(epoch => (epoch, _epochNumbers[epoch].Newest))], _keys.Runs, _keys.NextNumber);
    }

    /// <summary>Takes over what a snapshot says, before anything is read or appended.</summary>
    public void Restore(ArchiveContents contents)
    {
        (_count, _operationCount, _blobs.End, Receipts) = (contents.Statements, contents.Operations, contents.BlobEnd, contents.Receipts);
        foreach (var (epoch, newest) in contents.Epochs)
        {
            _epochNumbers[epoch] = ((uint)_epochs.Count, newest);
            _epochs.Add(epoch);
        }

        _keys.Restore(contents.Runs, contents.NextRun);
    }

    /// <summary>Deletes files that no snapshot needs any more.</summary>
    public void DeleteRunsBut(IReadOnlyCollection<uint> kept) => _keys.DeleteAllBut(kept);

    public void Dispose()
    {
        _statements.Dispose();
        _operations.Dispose();
        _blobs.Dispose();
        _keys.Close();
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes) => Crc.Finish(Crc.Add(Crc.Start(0), bytes));

    private byte[] RowsOf(ArchivedStatement statement) => ReadBlob(statement.RowsPlace, statement.RowsLength, statement.RowsChecksum, $"the rows of leaf {statement.Leaf}");

    private byte[] ReadBlob(ulong place, int length, uint checksum, string what)
    {
        var bytes = _blobs.Read(place, length);
        return Checksum(bytes) == checksum ? bytes : throw ArchiveDamagedException.At(_blobs.PathOf(place), $"{what}, at byte {place % (1UL << 30)}, are damaged");
    }

    private ArchivedStatement RecordOf(StatementCapture captured, ulong leaf, ulong place, uint checksum)
    {
        uint number;
        lock (_gate)
        {
            var known = _epochNumbers.TryGetValue(captured.Epoch, out var epoch);
            if (!known) _epochs.Add(captured.Epoch);
            number = known ? epoch.Number : (uint)_epochs.Count - 1;
            _epochNumbers[captured.Epoch] = (number, Math.Max(epoch.Newest, captured.Sequence));
        }

        return new()
        {
            Leaf = leaf, Id = captured.Id, Position = captured.Position, Receipts = captured.Receipts, Rows = captured.Rows.Count,
            ExecutedAt = captured.ExecutedAt, DurableAt = captured.DurableAt, VerifiedAt = captured.VerifiedAt, Anchor = captured.Anchor!.Value,
            RowsPlace = place, Sequence = captured.Sequence, Epoch = number, RowsAreNumbered = captured.Rows.AreNumbered, RowsChecksum = checksum,
        };
    }
}

/// <summary>How far the archive reaches: a part of every snapshot.</summary>
/// <param name="Epochs">Epochs of the statements, by their numbers, with the newest sequence of each.</param>
internal sealed record ArchiveContents(
    ulong Statements, ulong Operations, ulong BlobEnd, long Receipts, IReadOnlyList<(Hash256 Epoch, ulong Newest)> Epochs, IReadOnlyList<KeyRunName> Runs, uint NextRun);
