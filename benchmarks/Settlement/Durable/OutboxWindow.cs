using System.Diagnostics;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Benchmarks.Settlement.Durable;

/// <summary>One window of writers against an outbox of its own.</summary>
/// <param name="Rate">Durable records per second.</param>
/// <param name="Groups">Groups that were written and synced in it.</param>
/// <param name="GroupBytes">Mean bytes of a group.</param>
/// <param name="Latency">Of one append, microseconds.</param>
/// <param name="Held">Acknowledged records that a second opening of the folder gave back whole, exactly once.</param>
internal sealed record OutboxWindow(double Rate, double Seconds, long Groups, double GroupBytes, Percentiles Latency, long Held, long Failed)
{
    private const int LeastGroups = 4;

    private static readonly TimeSpan Ramp = TimeSpan.FromMilliseconds(150), Longest = TimeSpan.FromSeconds(20);

    public double GroupsPerSecond => Groups / Seconds;

    /// <summary>Records per sync.</summary>
    public double GroupSize => Rate / GroupsPerSecond;

    /// <summary>Every writer asks again when its record is durable. Deletes the folder's content afterwards.</summary>
    public static OutboxWindow Run(string folder, int writers, TimeSpan time)
    {
        var disk = new CountingDisk();
        var path = Path.Combine(folder, "outbox");
        Writer[] all = [.. Enumerable.Range(0, writers).Select(number => new Writer(number))];
        OutboxWindow window;
        using (var outbox = SegmentOutbox.Open(disk, path, new OutboxOptions(), new Forgetting()))
        {
            GC.Collect();
            var stop = new StrongFlag();
            var running = all.Select(writer => Task.Run(() => writer.RunAsync(outbox, stop))).ToArray();
            Thread.Sleep(Ramp);
            var (from, first) = (Stopwatch.GetTimestamp(), disk.Written);
            // A window in which the disk came to next to nothing says nothing: it goes on.
            do Thread.Sleep(time);
            while (disk.Written.Groups - first.Groups < LeastGroups && Stopwatch.GetElapsedTime(from) < Longest);
            var (to, last) = (Stopwatch.GetTimestamp(), disk.Written);
            stop.Set();
            Task.WaitAll(running);

            var latencies = new List<long>(all.Sum(writer => writer.Log.Count));
            foreach (var writer in all)
                foreach (var (start, end) in writer.Log)
                    if (end >= from && end < to) latencies.Add(end - start);
            var seconds = Stopwatch.GetElapsedTime(from, to).TotalSeconds;
            var groups = last.Groups - first.Groups;
            window = new OutboxWindow(latencies.Count / seconds, seconds, groups, (last.Bytes - first.Bytes) / (double)Math.Max(1, groups), Percentiles.Of(latencies), 0, 0);
        }

        var (held, failed) = ReadBack(path, all);
        Directory.Delete(path, recursive: true);
        return window with { Held = held, Failed = failed };
    }

    private static (long Held, long Failed) ReadBack(string path, Writer[] writers)
    {
        var sink = new Marking([.. writers.Select(writer => writer.Log.Count)]);
        SegmentOutbox.Open(new OpenGradient.Engine.Settlement.Disk.LinuxDisk(), path, new OutboxOptions(), sink).Dispose();
        return (sink.Held, writers.Sum(writer => (long)writer.Log.Count) - sink.Held + sink.Foreign);
    }

    private sealed class StrongFlag
    {
        private volatile bool _set;

        public bool IsSet => _set;

        public void Set() => _set = true;
    }

    /// <summary>One caller: one record on its way at a time.</summary>
    private sealed class Writer(int number)
    {
        /// <summary>Start and end of every acknowledged append, in its order.</summary>
        public List<(long Start, long End)> Log { get; } = new(1 << 12);

        public async Task RunAsync(SegmentOutbox outbox, StrongFlag stop)
        {
            var record = new byte[Commitment.Size];
            while (!stop.IsSet)
            {
                Commitment.Fill(record, number, Log.Count);
                var start = Stopwatch.GetTimestamp();
                var outcome = await outbox.AppendNowAsync(Commitment.RecordType, record).ConfigureAwait(false);
                if (!outcome.IsDurable) throw new InvalidOperationException($"the outbox refused a record: {outcome.Detail}");
                Log.Add((start, Stopwatch.GetTimestamp()));
            }
        }
    }

    private sealed class Forgetting : IRecordSink
    {
        public void Apply(RecordPosition position, byte type, ReadOnlySpan<byte> payload)
        {
        }
    }

    /// <summary>Marks every acknowledged record that comes back; each counts once.</summary>
    private sealed class Marking(int[] acknowledged) : IRecordSink
    {
        private readonly bool[][] _seen = [.. acknowledged.Select(count => new bool[count])];

        public long Held { get; private set; }

        /// <summary>Records that nobody was told of, came twice, or are not what was written.</summary>
        public long Foreign { get; private set; }

        public void Apply(RecordPosition position, byte type, ReadOnlySpan<byte> payload)
        {
            if (type != Commitment.RecordType || Commitment.Read(payload) is not { } read || (uint)read.Writer >= (uint)_seen.Length
                || (ulong)read.Number >= (ulong)_seen[read.Writer].Length || _seen[read.Writer][read.Number])
            {
                Foreign++;
                return;
            }

            _seen[read.Writer][read.Number] = true;
            Held++;
        }
    }
}
