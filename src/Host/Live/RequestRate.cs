namespace OpenGradient.Engine.Host.Live;

/// <summary>Requests per second over the last few seconds, from totals sampled by one task.</summary>
public sealed class RequestRate(TimeProvider clock)
{
    // Long enough to be calm, short enough to be now.
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(3);

    private readonly Lock _gate = new();
    private readonly Queue<(long At, long Total)> _samples = new();

    public double PerSecond { get; private set; }

    public void Sample(long total)
    {
        lock (_gate)
        {
            var now = clock.GetTimestamp();
            _samples.Enqueue((now, total));
            while (_samples.Count > 2 && clock.GetElapsedTime(_samples.Peek().At, now) > Window) _samples.Dequeue();
            var (at, before) = _samples.Peek();
            var seconds = clock.GetElapsedTime(at, now).TotalSeconds;
            PerSecond = seconds > 0 ? (total - before) / seconds : 0;
        }
    }
}
