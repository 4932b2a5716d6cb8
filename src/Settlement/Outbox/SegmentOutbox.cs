using System.Collections.Concurrent;
using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>
/// The embedded outbox: an append-only segment log with group commit. One at a time writes, the writer's thread or a
/// caller that awaits its record; a record is acknowledged after the sync that covers it and after it was applied. A
/// failed sync ends the outbox: what the kernel kept is unknown until a restart reads it back.
/// </summary>
public sealed class SegmentOutbox : IOutbox
{
    internal const string LockName = "outbox.lock";

    private readonly OutboxOptions _options;
    private readonly IRecordSink _sink;
    private readonly SegmentWriter _writer;
    private readonly SegmentReader _reader;
    private readonly AppendQueue _queue;
    private readonly IDisposable _lock;
    private readonly Thread _thread;
    private readonly Lock _turn = new(); // held by whoever writes
    private readonly ConcurrentBag<AppendGroup> _spare = []; // empty groups
    private volatile bool _groupWaits; // the writer's thread waits for the turn: no caller takes it first
    private volatile Tuple<AppendOutcome>? _trouble; // written by whoever holds the turn

    private SegmentOutbox(IDisk disk, string folder, OutboxOptions options, IRecordSink sink, IDisposable folderLock)
    {
        (_options, _sink, _lock) = (options, sink, folderLock);
        Segments = new SegmentFolder(disk, folder);
        _writer = new SegmentWriter(disk, Segments, folder, options);
        _reader = new SegmentReader(Segments, options.MaxPayload);
        _queue = new AppendQueue(options);
        _thread = new Thread(WriteGroups) { IsBackground = true, Name = "outbox writer" };
    }

    /// <summary>Locks the folder, applies every durable record to the sink, cuts a torn tail and starts the writer.</summary>
    /// <param name="after">The last record that the sink knows already, from a snapshot: what is behind it is applied. Null: everything is.</param>
    /// <exception cref="OutboxLockedException">Another process holds the folder.</exception>
    /// <exception cref="OutboxDamagedException">Acknowledged data is missing or changed.</exception>
    /// <exception cref="DiskException">The disk refused.</exception>
    public static SegmentOutbox Open(IDisk disk, string folder, OutboxOptions options, IRecordSink sink, RecordPosition? after = null)
    {
        options.Validate();
        disk.CreateFolder(folder);
        var folderLock = disk.TryLock(Path.Combine(folder, LockName)) ?? throw new OutboxLockedException(folder);
        SegmentOutbox? outbox = null;
        try
        {
            outbox = new SegmentOutbox(disk, folder, options, sink, folderLock);
            outbox._writer.Recover(sink, after);
            outbox._thread.Start();
            return outbox;
        }
        catch
        {
            outbox?._writer.Dispose();
            folderLock.Dispose();
            throw;
        }
    }

    internal SegmentFolder Segments { get; }

    public AppendOutcome? Trouble => _trouble?.Item1;

    public Task<AppendOutcome> AppendAsync(byte type, ReadOnlyMemory<byte> payload, Func<bool>? holds = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(type);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, _options.MaxPayload);
        if (Trouble is { Status: AppendStatus.Failed } failed) return Task.FromResult(failed);
        var record = new BytesRecord(type, payload, holds);
        return _queue.TryAdd(record)
            ? record.Done
            : Task.FromResult(Trouble ?? new AppendOutcome(AppendStatus.Busy, default, "the outbox's queue is full; try again shortly"));
    }

    /// <inheritdoc/>
    /// <remarks>Two changes of thread cost a caller that is alone as much as the sync of a fast disk. The task is complete when it is returned if the caller's thread wrote.</remarks>
    public Task<AppendOutcome> AppendNowAsync(byte type, ReadOnlyMemory<byte> payload, Func<bool>? holds = null)
    {
        // What waits goes first, and a group that is being written is joined by queueing for the next.
        if (_groupWaits || !_queue.IsEmpty || !_turn.TryEnter()) return AppendAsync(type, payload, holds);
        try
        {
            ArgumentOutOfRangeException.ThrowIfZero(type);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, _options.MaxPayload);
            var group = Rent();
            var record = new BytesRecord(type, payload, holds);
            group.Records.Add(record);
            var outcome = WriteInTurn(group);
            if (group.Records.Count == 0) outcome = record.Done.Result; // dropped as stale, and told so
            else if (outcome.IsDurable) outcome = outcome with { Position = group.Positions[0] };
            GiveBack(group);
            return Task.FromResult(outcome);
        }
        finally
        {
            _turn.Exit();
        }
    }

    public bool TryAppend(OutboxRecord record)
    {
        ArgumentOutOfRangeException.ThrowIfZero(record.Type);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(record.Length, _options.MaxPayload);
        return Trouble is not { Status: AppendStatus.Failed } && _queue.TryAdd(record);
    }

    public byte[] Read(RecordPosition position) => _reader.Read(position);

    public void Dispose()
    {
        _queue.Close();
        if (_thread.IsAlive) _thread.Join();
        _reader.Dispose();
        lock (_turn) _writer.Dispose(); // a caller that still writes is waited for
        _lock.Dispose();
    }

    private void WriteGroups()
    {
        var maxBytes = Math.Min(_options.MaxGroupBytes, _options.MaxPayload);
        while (_queue.WaitForWork())
        {
            var group = Rent();
            AppendOutcome outcome;
            _groupWaits = true;
            lock (_turn)
            {
                // Taken within the turn: whatever came while a caller wrote shares this sync.
                _groupWaits = false;
                _queue.TakeGroup(group.Records, maxBytes);
                outcome = WriteInTurn(group);
            }

            // The disk must not stand still while callers are woken: where more waits, the pool does that.
            if (_queue.IsEmpty) Complete(group, outcome);
            else ThreadPool.UnsafeQueueUserWorkItem(static done => done.Outbox.Complete(done.Group, done.Outcome), (Outbox: this, Group: group, Outcome: outcome), preferLocal: false);
        }

        lock (_turn) _trouble ??= Tuple.Create(new AppendOutcome(AppendStatus.Failed, default, "the outbox is closed"));
    }

    private AppendOutcome WriteInTurn(AppendGroup group)
    {
        if (Trouble is { Status: AppendStatus.Failed } failed) return failed;
        try
        {
            if (DropStale(group.Records) == 0) return new AppendOutcome(AppendStatus.Durable, default, null);
            _writer.Write(group.Records, group.Positions);
            _trouble = null;
            for (var i = 0; i < group.Records.Count; i++)
            {
                var (record, position) = (group.Records[i], group.Positions[i]);
                record.Apply(_sink, position, _writer.Written(position, record.Length));
            }

            return new AppendOutcome(AppendStatus.Durable, default, null);
        }
        catch (DiskException full) when (full.IsFull)
        {
            return Stop(new AppendOutcome(AppendStatus.DiskFull, default, $"disk full: {full.Message}; free space, the outbox goes on by itself"));
        }
#pragma warning disable CA1031 // Whatever went wrong, nothing may be acknowledged after it: the outbox ends by name.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            return Stop(new AppendOutcome(AppendStatus.Failed, default, $"the outbox has failed: {failure.Message}; restart the process, it reads back what is durable"));
        }
    }

    private static int DropStale(List<OutboxRecord> records)
    {
        records.RemoveAll(record =>
        {
            if (record.Holds) return false;
            record.Complete(new AppendOutcome(AppendStatus.Stale, default, "what the record was made from has changed"));
            return true;
        });
        return records.Count;
    }

    private AppendOutcome Stop(AppendOutcome outcome)
    {
        _trouble = Tuple.Create(outcome);
        return outcome;
    }

    private void Complete(AppendGroup group, AppendOutcome outcome)
    {
        for (var i = 0; i < group.Records.Count; i++) group.Records[i].Complete(outcome.IsDurable ? outcome with { Position = group.Positions[i] } : outcome);
        GiveBack(group);
    }

    private AppendGroup Rent() => _spare.TryTake(out var group) ? group : new AppendGroup();

    private void GiveBack(AppendGroup group)
    {
        group.Records.Clear();
        group.Positions.Clear();
        _spare.Add(group);
    }

    /// <summary>Records that are written under one sync, and where each came to lie. Owned by whoever holds the turn, then by whoever tells the callers.</summary>
    private sealed class AppendGroup
    {
        public List<OutboxRecord> Records { get; } = [];

        public List<RecordPosition> Positions { get; } = [];
    }
}
