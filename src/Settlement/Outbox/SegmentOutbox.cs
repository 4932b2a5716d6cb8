using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>
/// The embedded outbox: an append-only segment log with group commit. One thread writes; a record is acknowledged after
/// the sync that covers it and after it was applied. A failed sync ends the outbox: what the kernel kept is unknown
/// until a restart reads it back.
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
    private volatile Tuple<AppendOutcome>? _trouble; // written by the writer thread alone

    private SegmentOutbox(IDisk disk, string folder, OutboxOptions options, IRecordSink sink, IDisposable folderLock)
    {
        (_options, _sink, _lock) = (options, sink, folderLock);
        var segments = new SegmentFolder(disk, folder);
        _writer = new SegmentWriter(disk, segments, folder, options);
        _reader = new SegmentReader(segments, options.MaxPayload);
        _queue = new AppendQueue(options);
        _thread = new Thread(WriteGroups) { IsBackground = true, Name = "outbox writer" };
    }

    /// <summary>Locks the folder, applies every durable record to the sink, cuts a torn tail and starts the writer.</summary>
    /// <exception cref="OutboxLockedException">Another process holds the folder.</exception>
    /// <exception cref="OutboxDamagedException">Acknowledged data is missing or changed.</exception>
    /// <exception cref="DiskException">The disk refused.</exception>
    public static SegmentOutbox Open(IDisk disk, string folder, OutboxOptions options, IRecordSink sink)
    {
        options.Validate();
        disk.CreateFolder(folder);
        var folderLock = disk.TryLock(Path.Combine(folder, LockName)) ?? throw new OutboxLockedException(folder);
        SegmentOutbox? outbox = null;
        try
        {
            outbox = new SegmentOutbox(disk, folder, options, sink, folderLock);
            outbox._writer.Recover(sink);
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

    private void WriteGroups()
    {
        var group = new List<OutboxRecord>();
        var positions = new List<RecordPosition>();
        var maxBytes = Math.Min(_options.MaxGroupBytes, _options.MaxPayload);
        while (_queue.TakeGroup(group, maxBytes))
        {
            if (Trouble is { Status: AppendStatus.Failed } failed) CompleteAll(group, failed);
            else WriteGroup(group, positions);
        }

        _trouble ??= Tuple.Create(new AppendOutcome(AppendStatus.Failed, default, "the outbox is closed"));
    }

    private void WriteGroup(List<OutboxRecord> group, List<RecordPosition> positions)
    {
        try
        {
            if (DropStale(group) == 0) return;
            _writer.Write(group, positions);
            _trouble = null;
            for (var i = 0; i < group.Count; i++) group[i].Apply(_sink, positions[i], _writer.Written(positions[i], group[i].Length));
        }
        catch (DiskException full) when (full.IsFull)
        {
            Stop(group, new AppendOutcome(AppendStatus.DiskFull, default, $"disk full: {full.Message}; free space, the outbox goes on by itself"));
            return;
        }
#pragma warning disable CA1031 // Whatever went wrong, nothing may be acknowledged after it: the outbox ends by name.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Stop(group, new AppendOutcome(AppendStatus.Failed, default, $"the outbox has failed: {failure.Message}; restart the process, it reads back what is durable"));
            return;
        }

        for (var i = 0; i < group.Count; i++) group[i].Complete(new AppendOutcome(AppendStatus.Durable, positions[i], null));
    }

    private static int DropStale(List<OutboxRecord> group)
    {
        group.RemoveAll(record =>
        {
            if (record.Holds) return false;
            record.Complete(new AppendOutcome(AppendStatus.Stale, default, "what the record was made from has changed"));
            return true;
        });
        return group.Count;
    }

    private void Stop(List<OutboxRecord> group, AppendOutcome outcome)
    {
        _trouble = Tuple.Create(outcome);
        CompleteAll(group, outcome);
    }

    private static void CompleteAll(List<OutboxRecord> group, AppendOutcome outcome)
    {
        foreach (var record in group) record.Complete(outcome);
    }
}
