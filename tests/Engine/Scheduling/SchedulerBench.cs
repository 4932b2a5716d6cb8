using OpenGradient.Engine.Serving.Scheduling;

namespace OpenGradient.Engine.Engine.Tests.Scheduling;

/// <summary>A waiting request without anything behind it.</summary>
internal sealed class Entry : QueueEntry
{
    public required string? Caller { get; init; }

    public int Shape { get; init; }

    public override string ToString() => $"{Priority} {Caller ?? "anonymous"} rows {Rows} shape {Shape}";
}

/// <summary>A batch being collected: so many rows, all of the shape of its first request.</summary>
internal sealed class CollectedBatch(int maxRows) : IBatchFit
{
    public List<Entry> Entries { get; } = [];

    public int Rows => Entries.Sum(entry => entry.Rows);

    public Fit Check(QueueEntry entry)
    {
        if (Entries.Count == 0) return Fit.Yes;
        if (Rows + entry.Rows > maxRows) return Fit.TooManyRows;
        return ((Entry)entry).Shape == Entries[0].Shape ? Fit.Yes : Fit.OtherShape;
    }
}

/// <summary>Short ways to use a scheduler.</summary>
internal static class Scheduling
{
    public static RequestScheduler Create(int callerLimit = int.MaxValue, int[]? limits = null) =>
        new(limits ?? [int.MaxValue, int.MaxValue, int.MaxValue], callerLimit);

    public static Entry Enqueue(this RequestScheduler scheduler, string? caller, RequestPriority priority = RequestPriority.Normal, int rows = 1, int shape = 0)
    {
        var entry = new Entry { Caller = caller, Priority = priority, Rows = rows, Shape = shape };
        Assert.Equal(Refusal.None, scheduler.TryCount(entry, caller));
        scheduler.Add(entry);
        return entry;
    }

    /// <summary>The next one alone in its batch.</summary>
    public static Entry Next(this RequestScheduler scheduler)
    {
        Assert.Equal(Take.Taken, scheduler.TryTake(new CollectedBatch(int.MaxValue), out var entry));
        return (Entry)entry!;
    }

    /// <summary>The next batch of up to so many rows, and why it ended.</summary>
    public static (List<Entry> Entries, Take End) NextBatch(this RequestScheduler scheduler, int maxRows)
    {
        var batch = new CollectedBatch(maxRows);
        while (batch.Rows < maxRows)
        {
            var take = scheduler.TryTake(batch, out var entry);
            if (take != Take.Taken) return (batch.Entries, take);
            batch.Entries.Add((Entry)entry!);
        }

        return (batch.Entries, Take.Taken);
    }
}
