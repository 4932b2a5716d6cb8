using System.Threading.Channels;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>A bounded stream of stage changes. A reader that falls behind loses changes and is told how many.</summary>
public sealed class StageSubscription : IDisposable
{
    private readonly Channel<StageChange> _changes;
    private readonly Action<StageSubscription> _leave;
    private long _missed; // written under the state's lock alone

    internal StageSubscription(int capacity, Action<StageSubscription> leave)
    {
        _changes = Channel.CreateBounded<StageChange>(new BoundedChannelOptions(capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
        _leave = leave;
    }

    public ChannelReader<StageChange> Reader => _changes.Reader;

    public void Dispose()
    {
        _leave(this);
        _changes.Writer.TryComplete();
    }

    internal void Offer(StageChange change) => _missed = _changes.Writer.TryWrite(change with { Missed = _missed }) ? 0 : _missed + 1;
}
