using OpenGradient.Engine.Host.Protocol;

namespace OpenGradient.Engine.Host.Live;

/// <summary>
/// The overview for streams: rendered once for all that read it, so that a thousand open pages cost settlement's lock no
/// more than one; and no more streams than a bound. Safe for concurrent calls.
/// </summary>
internal sealed class OverviewFeed(OverviewJson overview, TimeProvider clock)
{
    /// <summary>Twice a second: fast enough to see stages pass on a one-second chain.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(500);

    // As many as settlement has streams of stages; each is a connection that nobody had to show a key for.
    private const int MaxStreams = 256;

    // Half the pace: every event is news, and readers out of step share one rendering.
    private static readonly TimeSpan Fresh = Pace / 2;

    private readonly Lock _gate = new();
    private ReadOnlyMemory<byte> _rendered;
    private long _renderedAt;
    private int _streams;

    /// <summary>A place to dispose when the stream ends; null when all are taken.</summary>
    public IDisposable? TryEnter()
    {
        if (Interlocked.Increment(ref _streams) <= MaxStreams) return new Place(this);
        Interlocked.Decrement(ref _streams);
        return null;
    }

    public ReadOnlyMemory<byte> Newest()
    {
        lock (_gate)
        {
            var now = clock.GetTimestamp();
            if (_rendered.IsEmpty || clock.GetElapsedTime(_renderedAt, now) >= Fresh)
                (_rendered, _renderedAt) = (Answers.Render(overview.Write).WrittenMemory, now);
            return _rendered;
        }
    }

    private sealed class Place(OverviewFeed feed) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref feed._streams);
    }
}
