using OpenGradient.Engine.Benchmarks.Settlement.Durable;
using OpenGradient.Engine.Benchmarks.Settlement.Report;

namespace OpenGradient.Engine.Benchmarks.Settlement.Points;

/// <summary>
/// Durable commitments per second against the product of the disk's own sync rate and the mean group size. Each round measures disk,
/// outbox, disk for every number of writers, and the next round in the opposite order, so that what slows the disk for a while slows both.
/// </summary>
internal sealed class DurablePoint : IPoint<BenchContext>
{
    private const double Reach = 0.9;

    public string Name => "durable";

    public async Task RunAsync(BenchContext context)
    {
        var options = context.Options;
        var folder = context.NewFolder(Name);
        try
        {
            var cases = Figures.Writers.ToDictionary(writers => writers, writers => new Case(writers));
            var outboxTime = TimeSpan.FromMilliseconds(options.Quick ? 300 : 1000);
            // Group sizes are known after the first window, which also compiles the way.
            foreach (var each in cases.Values) await each.WarmUpAsync(folder.FullName, outboxTime);
            var rounds = options.Rounds(11, 2);
            for (var round = 0; round < rounds; round++)
            {
                foreach (var writers in round % 2 == 0 ? Figures.Writers : [.. Figures.Writers.Reverse()])
                    await cases[writers].MeasureAsync(folder.FullName, outboxTime);
            }

            foreach (var each in cases.Values) each.Report(context.Figures);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private sealed class Case(int writers)
    {
        private readonly List<OutboxWindow> _windows = [];
        private readonly List<double> _disk = [];
        private int _groupBytes;
        private long _held, _failed;

        public async Task WarmUpAsync(string folder, TimeSpan time) => Take(await OwnThread.Run(() => OutboxWindow.Run(folder, writers, time)));

        public async Task MeasureAsync(string folder, TimeSpan time)
        {
            var before = await OwnThread.Run(() => DiskLoop.SyncsPerSecond(folder, _groupBytes, time / 2));
            var window = await OwnThread.Run(() => OutboxWindow.Run(folder, writers, time));
            Take(window);
            var after = await OwnThread.Run(() => DiskLoop.SyncsPerSecond(folder, _groupBytes, time / 2));
            _windows.Add(window);
            _disk.Add((before + after) / 2);
            BenchContext.Note($"durable: {writers} writers {window.Rate:0}/s, p99 {window.Latency.P99 / 1000:0.00} ms, {window.GroupSize:0.0} per group, {window.GroupsPerSecond:0} groups/s; disk {before:0} and {after:0} syncs/s of {_groupBytes} B");
        }

        public void Report(Figures figures)
        {
            var ratio = Median.Of(_windows.Zip(_disk, (window, disk) => window.Rate / (disk * window.GroupSize)));
            var (rate, p99) = (Median.Of(_windows, window => window.Rate), Median.Of(_windows, window => window.Latency.P99 / 1000));
            (figures.DurablePerSecond[writers], figures.DurableP99[writers], figures.GroupCommitRatio[writers]) = (rate, p99, ratio);
            var note = FormattableString.Invariant($"disk {Median.Of(_disk):0} syncs/s of {_groupBytes} B, {Median.Of(_windows, window => window.GroupSize):0.0} records per group, {Median.Of(_windows, window => window.GroupsPerSecond):0} groups/s");
            figures.Row("durable", $"commitments per second, {writers} writer{(writers == 1 ? "" : "s")}", rate, "/s", note: FormattableString.Invariant($"p50 {Median.Of(_windows, window => window.Latency.P50 / 1000):0.00} ms, p99 {p99:0.00} ms"));
            figures.Row("durable", $"... over disk syncs x group size, {writers}", ratio, "", Reach, atLeast: true, note);
            figures.Count(_held, _failed);
        }

        private void Take(OutboxWindow window)
        {
            _groupBytes = Math.Max(8, (int)window.GroupBytes & ~7);
            _held += window.Held;
            _failed += window.Failed;
        }
    }
}
