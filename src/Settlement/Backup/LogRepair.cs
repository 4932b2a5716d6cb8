using System.Buffers.Binary;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Archive;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Journal;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Settling;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Backup;

/// <summary>Why a log cannot be repaired from a source; nothing was written.</summary>
public sealed class LogRepairException : Exception
{
    public LogRepairException(string message) : base(message) { }

    public LogRepairException() { }

    public LogRepairException(string message, Exception innerException) : base(message, innerException) { }
}

/// <summary>What a repair brought back.</summary>
/// <param name="Before">Leaves before it.</param>
/// <param name="After">Leaves now.</param>
/// <param name="ReceiptsWithoutIds">Receipts of statements that came back: proven by statement, known by id again once their holders show them.</param>
public sealed record RepairReport(ulong Before, ulong After, long ReceiptsWithoutIds);

/// <summary>
/// Brings a log that fell behind up to what was published of it: reads the missing statements from a copy of its files (a
/// mirror, an old folder, the web), checks that they lead to the contract's head, and writes them to the journal.
/// </summary>
public static class LogRepair
{
    private const int MostPerRecord = 1024;
    private const int MaxFile = TilePath.Width * (2 + ushort.MaxValue);

    /// <param name="dataFolder">Of a host that is stopped; its lock is taken.</param>
    /// <param name="outbox">The folder's own limits.</param>
    /// <param name="published">Reads a file of the published log by its relative path; null when it is not there.</param>
    /// <param name="head">The contract's head, which the repaired log must contain.</param>
    /// <exception cref="LogRepairException">The source does not fit this log or the contract.</exception>
    /// <exception cref="IOException">A disk refused.</exception>
    public static async Task<RepairReport> RunAsync(string dataFolder, OutboxOptions outbox, Func<string, byte[]?> published, Hash256 head, TimeProvider clock)
    {
        var disk = new LinuxDisk();
        var tiles = new TileStore(disk, Path.Combine(dataFolder, "log"));
        using var storage = Storage.Open(dataFolder, outbox, new StorageOptions(), new TrustGapObjective(), disk, clock, tiles, new ConditionBoard(clock));
        var tree = storage.State.Locked(view => view.Tree.Freeze());
        var before = tree.Size;
        var (size, root) = published(TilePath.Checkpoint) is { } note && LogPublisher.Parse(note) is { } parsed ? parsed : throw new LogRepairException("the source has no checkpoint that can be read");
        if (size < LogHead.SizeOf(head)) throw new LogRepairException($"the source knows {size} statements of this log, the contract {LogHead.SizeOf(head)}: a newer copy is needed");
        var missing = new List<byte[]>();
        for (var leaf = before; leaf < size; leaf++) missing.Add(Entry(published, leaf, size));
        foreach (var statement in missing) tree.Append(MerkleTree.LeafHash(statement));
        if (size < before || tree.RootAt(size) != root) throw new LogRepairException("the source is not a continuation of this folder's log: it belongs to another one, or this one has gone another way");
        if (LogHead.Pack(tree.RootAt(LogHead.SizeOf(head)), LogHead.SizeOf(head)) != head) throw new LogRepairException("the contract's head is not in the source's log: the source was changed, or this is another chain or contract");
        if (missing.Exists(statement => storage.State.Locked(view => view.Index.Find(MerkleTree.LeafHash(statement))) is { QuarantinedAt: not 0 }))
            throw new LogRepairException("a statement of the source's log is quarantined here");
        long receipts = 0;
        var perRecord = Math.Clamp((outbox.MaxPayload / Hash256.Size) - 1, 1, MostPerRecord); // a record holds their ids
        for (var first = 0; first < missing.Count; first += perRecord) receipts += await Take(storage, missing.GetRange(first, Math.Min(perRecord, missing.Count - first))).ConfigureAwait(false);
        return new(before, size, receipts);
    }

    /// <summary>Leaves of a folder's log, and how many of them a final anchor covers.</summary>
    public static (ulong Statements, ulong Final) Sizes(string dataFolder, OutboxOptions outbox, TimeProvider clock)
    {
        var disk = new LinuxDisk();
        using var storage = Storage.Open(dataFolder, outbox, new StorageOptions(), new TrustGapObjective(), disk, clock, new TileStore(disk, Path.Combine(dataFolder, "log")), new ConditionBoard(clock));
        return storage.State.Locked(view => (view.Tree.Size, view.Operations.LastAnchor(operation => operation.IsFinal)?.Checkpoint!.Size ?? 0));
    }

    // In the order in which the settler would have written them; a crash in between is repaired by the next run.
    private static async Task<long> Take(Storage storage, List<byte[]> statements)
    {
        long receipts = 0;
        var (state, ids) = (storage.State, statements.Select(statement => MerkleTree.LeafHash(statement)).ToArray());
        foreach (var statement in statements)
        {
            if (state.Locked(view => view.Index.Find(MerkleTree.LeafHash(statement)) is not null)) continue;
            receipts += StatementHead.Read(statement).Receipts;
            await Append(storage, RecordType.Statement, new StatementRecord(state.Now(), statement, []).Encode()).ConfigureAwait(false);
        }

        var unverified = ids.Where(id => state.Locked(view => view.Index.Find(id)!.VerifiedAt == 0)).ToArray();
        if (unverified.Length > 0) await Append(storage, RecordType.Verified, new VerifiedRecord(state.Now(), unverified).Encode()).ConfigureAwait(false);
        await Append(storage, RecordType.Sequenced, new SequencedRecord(state.Now(), state.Locked(view => view.Tree.Size), ids).Encode()).ConfigureAwait(false);
        return receipts;
    }

    private static async Task Append(Storage storage, byte type, byte[] payload)
    {
        var outcome = await storage.Outbox.AppendAsync(type, payload).ConfigureAwait(false);
        if (!outcome.IsDurable) throw new IOException($"the journal could not be written: {outcome.Detail}");
    }

    private static byte[] Entry(Func<string, byte[]?> published, ulong leaf, ulong size)
    {
        var (index, inside) = (leaf / TilePath.Width, (int)(leaf % TilePath.Width));
        var partial = (int)(size % TilePath.Width);
        var bytes = published(TilePath.Entries(index, TilePath.Width)) ?? (partial > 0 && index == size / TilePath.Width ? published(TilePath.Entries(index, partial)) : null)
            ?? throw new LogRepairException($"the source has no entry bundle for leaf {leaf}");
        if (bytes.Length > MaxFile) throw new LogRepairException($"the source's entry bundle {index} is too long");
        for (var rest = bytes.AsSpan(); ; inside--)
        {
            if (rest.Length < 2 || BinaryPrimitives.ReadUInt16BigEndian(rest) is var length && rest.Length < 2 + length) throw new LogRepairException($"the source's entry bundle {index} is cut");
            if (inside == 0) return rest.Slice(2, length).ToArray();
            rest = rest[(2 + length)..];
        }
    }
}
