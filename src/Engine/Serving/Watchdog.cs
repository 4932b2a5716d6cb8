using System.Collections.Immutable;

namespace OpenGradient.Engine.Serving;

/// <summary>
/// One timer for all lanes of an engine, as often as the shortest limit of any of them asks; none while there is no lane. A timer
/// per lane would wake an idle machine with 64 models 64 times a second.
/// </summary>
internal sealed class Watchdog(TimeProvider time)
{
    // A quarter of the limit late at the most; not below what a timer can do, nor above what an operator would notice.
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private volatile ImmutableArrayBox _lanes = new([]);
    private ITimer? _timer;

    public void Add(ModelLane lane)
    {
        lock (_gate) Set(_lanes.Lanes.Add(lane));
    }

    public void Remove(ModelLane lane)
    {
        lock (_gate) Set(_lanes.Lanes.Remove(lane));
    }

    private void Set(ImmutableArray<ModelLane> lanes)
    {
        _lanes = new ImmutableArrayBox(lanes);
        if (lanes.IsEmpty)
        {
            _timer?.Dispose();
            _timer = null;
            return;
        }

        var period = lanes.Min(PeriodOf);
        _timer ??= time.CreateTimer(static state => ((Watchdog)state!).Watch(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(period, period);
    }

    private static TimeSpan PeriodOf(ModelLane lane)
    {
        var options = lane.Info.Options;
        var quarter = new TimeSpan(Math.Min(options.ExecutionTimeout.Ticks, options.TerminationGrace.Ticks) / 4);
        return quarter < Shortest ? Shortest : quarter > Longest ? Longest : quarter;
    }

    private void Watch()
    {
        var now = time.GetTimestamp();
        foreach (var lane in _lanes.Lanes) lane.Watch(now);
    }

    // An immutable array is a struct and cannot be volatile itself.
    private sealed record ImmutableArrayBox(ImmutableArray<ModelLane> Lanes);
}
