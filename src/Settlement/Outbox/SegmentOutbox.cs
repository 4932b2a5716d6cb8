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
    private const string LockName = "outbox.lock";

    private readonly OutboxOptions _options;
    private readonly IRecordSink _sink;
    private readonly SegmentWriter _writer;
    private readonly SegmentReader _reader;
    private readonly AppendQueue _queue;
    private readonly IDisposable _lock;
    private readonly Thread _thread;
    private volatile Tuple<AppendOutcome>? _trouble; // written by whoever has the turn
    private readonly ConcurrentBag<AppendGroup> _spare = []; // empty ones

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

    public Task<AppendOutcome> AppendAsync(byte type, ReadOnlyMemory<byte> payload)
    {
        if (Refusal(type, payload) is { } refusal) return Task.FromResult(refusal);
        var record = new BytesRecord(type, payload);
        return _queue.TryAdd(record) ? record.Done : Task.FromResult(Busy);
    }

    /// <inheritdoc/>
    /// <remarks>Two changes of thread cost a caller that is alone as much as the sync of a fast disk. The task is complete when it is returned if the caller's thread wrote.</remarks>
    public Task<AppendOutcome> AppendNowAsync(byte type, ReadOnlyMemory<byte> payload)
    {
        if (Refusal(type, payload) is { } refusal) return Task.FromResult(refusal);
        var (record, group) = (new BytesRecord(type, payload), Rent());
        var isAccepted = _queue.TryAddOrTakeTurn(record, group, MaxGroupBytes);
        if (group.Records.Count > 0)
        {
            var outcome = WriteInTurn(group);
            _queue.EndTurn();
            Complete(group, outcome);
        }
        else
        {
            _spare.Add(group);
        }

        return isAccepted ? record.Done : Task.FromResult(Busy);
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
        _writer.Dispose();
        _lock.Dispose();
    }

    private AppendOutcome Busy => Trouble ?? new AppendOutcome(AppendStatus.Busy, default, "the outbox's queue is full; try again shortly");

    private AppendOutcome? Refusal(byte type, ReadOnlyMemory<byte> payload)
    {
        ArgumentOutOfRangeException.ThrowIfZero(type);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, _options.MaxPayload);
        return Trouble is { Status: AppendStatus.Failed } failed ? failed : null;
    }

    private int MaxGroupBytes => Math.Min(_options.MaxGroupBytes, _options.MaxPayload);

    private void WriteGroups()
    {
        for (var group = Rent(); _queue.TakeTurn(group, MaxGroupBytes); group = Rent())
        {
            var outcome = WriteInTurn(group);
            // The disk must not wait while callers are woken: where something waits, the pool does that.
            if (_queue.EndTurn()) ThreadPool.UnsafeQueueUserWorkItem(static done => done.Outbox.Complete(done.Group, done.Outcome), (Outbox: this, Group: group, Outcome: outcome), preferLocal: false);
            else Complete(group, outcome);
        }

        _trouble ??= Tuple.Create(new AppendOutcome(AppendStatus.Failed, default, "the outbox is closed"));
    }

    private AppendGroup Rent() => _spare.TryTake(out var group) ? group : new AppendGroup();

    private void Complete(AppendGroup group, AppendOutcome outcome)
    {
        for (var i = 0; i < group.Records.Count; i++) group.Records[i].Complete(outcome.IsDurable ? outcome with { Position = group.Positions[i] } : outcome);
        group.Clear();
        _spare.Add(group);
    }

    private AppendOutcome WriteInTurn(AppendGroup group) => Trouble is { Status: AppendStatus.Failed } failed ? failed : WriteGroup(group);

    private AppendOutcome WriteGroup(AppendGroup group)
    {
        try
        {
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

    private AppendOutcome Stop(AppendOutcome outcome)
    {
        _trouble = Tuple.Create(outcome);
        return outcome;
    }
}
