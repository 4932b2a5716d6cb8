namespace OpenGradient.Engine.Serving;

/// <summary>
/// Requests that the gate slows down before they are admitted. They wait on timers, not on threads, and hold no place in any
/// queue; their number is bounded, because each keeps its caller's tensors.
/// </summary>
internal sealed class SlowedRequests : IAsyncDisposable
{
    /// <summary>As many as a model's queue holds by default: who comes on top of them is better told than kept.</summary>
    public const int Most = 4096;

    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _end = new();
    private readonly CancellationToken _ended;
    private int _waiting;

    public SlowedRequests(TimeProvider time) => (_time, _ended) = (time, _end.Token);

    /// <summary>Null once the delay is over; otherwise why the request is not admitted.</summary>
    /// <param name="timeout">The request's own, which the delay is part of.</param>
    public async ValueTask<InferenceFailure?> WaitAsync(TimeSpan delay, TimeSpan? timeout, CancellationToken cancellation)
    {
        // It would run out while it waits: told at once, so that the caller has its time for something else.
        if (timeout is { } limit && limit <= delay) return Failures.TrustGap(delay);
        if (Interlocked.Increment(ref _waiting) > Most)
        {
            Interlocked.Decrement(ref _waiting);
            return Failures.TrustGap(delay);
        }

        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _ended);
            await Task.Delay(delay, _time, either.Token).ConfigureAwait(false);
            return null;
        }
        catch (OperationCanceledException)
        {
            return cancellation.IsCancellationRequested ? Failures.Cancelled : Failures.ShuttingDown;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>Whoever waits is told that the engine is shutting down, now and later.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_ended.IsCancellationRequested) return;
        await _end.CancelAsync().ConfigureAwait(false);
        _end.Dispose();
    }
}
