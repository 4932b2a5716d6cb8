using OpenGradient.Engine.Serving.Scheduling;

namespace OpenGradient.Engine.Serving;

/// <summary>Whether a valid request may wait: places and bytes, its priority's and its caller's share, and the time it has.</summary>
internal sealed class LaneAdmission(ModelOptions options, LaneQueue queue, LaneLoad load, CallEstimate estimate, TimeProvider time)
{
    private static readonly TimeSpan LeastAdvice = TimeSpan.FromMilliseconds(1);

    /// <summary>Null: the request has its place, class and deadline.</summary>
    /// <param name="batches">Whether requests share calls.</param>
    /// <param name="waited">How much of the request's own timeout has gone by already.</param>
    public InferenceFailure? TryEnter(InferenceRequest request, PendingRequest pending, bool batches, TimeSpan waited)
    {
        if (load.TryReserve(pending.Rows, pending.Bytes) is { } full) return Failures.QueueFull(options.Name, full, Advice(batches));
        queue.Classify(pending, request.Priority, request.Caller);
        SetDeadline(pending, request.Timeout - waited);
        if (pending.Deadline != long.MaxValue && !pending.Downgrades && WouldMiss(request, pending, batches) is { } late) return TakeBack(pending, late);
        if (queue.TryEnter(pending, request.Caller) is { } own) return TakeBack(pending, Failures.QueueFull(options.Name, own, Advice(batches)));
        return null;
    }

    /// <summary>A request that was not queued after all gives its place back.</summary>
    public void Leave(PendingRequest pending)
    {
        queue.Leave(pending);
        load.Release(1, pending.Rows, pending.Bytes);
    }

    /// <summary>Moves a request whose time at its priority is over. Its deadline at the lower one, null when it no longer waits.</summary>
    public long? TryDowngrade(PendingRequest pending, long now) =>
        queue.TryDowngrade(pending) ? DeadlineOf(queue.PolicyOf(pending.Priority)?.DefaultTimeout, now) : null;

    /// <summary>The time in which the workers empty half of what waits now.</summary>
    public TimeSpan Advice(bool batches)
    {
        var half = (batches ? load.Rows : load.Requests) / 2;
        return AtLeast(Elapsed(estimate.TicksUntil(half, PerCall(batches), options.WorkerCount)));
    }

    private void SetDeadline(PendingRequest pending, TimeSpan? timeout)
    {
        pending.AdmittedAt = time.GetTimestamp();
        var policy = timeout is null ? queue.PolicyOf(pending.Priority) : null;
        pending.Downgrades = policy is { OnTimeout: QueueTimeoutAction.Downgrade };
        pending.Deadline = DeadlineOf(timeout ?? policy?.DefaultTimeout, pending.AdmittedAt);
    }

    private InferenceFailure? WouldMiss(InferenceRequest request, PendingRequest pending, bool batches)
    {
        var waiting = batches ? load.Rows - pending.Rows : load.Requests - 1;
        // Nothing waits: whatever the estimate says, so that a wrong one is put right by what is executed.
        if (waiting <= 0 || estimate.Ticks == 0) return null;
        var before = queue.WorkBefore(pending, request.Caller, waiting, batches);
        var wait = estimate.TicksUntil(before, PerCall(batches), options.WorkerCount);
        var left = pending.Deadline - pending.AdmittedAt;
        return wait <= left ? null : Failures.WouldMiss(Elapsed(left), Elapsed(wait), AtLeast(Elapsed(wait - left)));
    }

    private InferenceFailure TakeBack(PendingRequest pending, InferenceFailure failure)
    {
        load.Release(1, pending.Rows, pending.Bytes);
        return failure;
    }

    private long DeadlineOf(TimeSpan? timeout, long now)
    {
        if (timeout is not { } limit) return long.MaxValue;
        var ticks = limit.TotalSeconds * time.TimestampFrequency;
        return ticks >= long.MaxValue - now ? long.MaxValue : now + (long)ticks;
    }

    private int PerCall(bool batches) => batches ? options.MaxBatch : 1;

    private TimeSpan Elapsed(long ticks) => time.GetElapsedTime(0, ticks);

    private static TimeSpan AtLeast(TimeSpan advice) => advice < LeastAdvice ? LeastAdvice : advice;
}
