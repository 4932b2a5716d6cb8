namespace OpenGradient.Engine.Engine.Tests;

/// <summary>A clock that moves only when it is told to; its timestamps are nanoseconds. Timers never fire.</summary>
internal sealed class SteppedTime : TimeProvider
{
    private long _now = 1_000;

    public override long TimestampFrequency => 1_000_000_000;

    public void Step(long nanoseconds) => Interlocked.Add(ref _now, nanoseconds);

    public override long GetTimestamp() => Interlocked.Read(ref _now);

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + GetElapsedTime(0, GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Never();

    private sealed class Never : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}

/// <summary>Seals with an empty statement, taking the clock's time for it and saying which part was the signature.</summary>
internal sealed class SteppingSealer(SteppedTime time, long commit, long sign) : Formats.IBatchSealer
{
    public Formats.SealedBatch Seal(in Formats.BatchToSeal batch)
    {
        time.Step(commit + sign);
        var leaves = new byte[batch.Rows.Length * Formats.RowLeaf.Size];
        return new Formats.SealedBatch([1], leaves, new byte[Formats.RowTree.NodeCount(batch.Rows.Length) * Formats.Hash256.Size])
        {
            HashTime = TimeSpan.FromTicks(commit / TimeSpan.NanosecondsPerTick),
            SignTime = TimeSpan.FromTicks(sign / TimeSpan.NanosecondsPerTick),
        };
    }
}
