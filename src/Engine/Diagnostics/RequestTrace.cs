using System.Diagnostics;
using OpenGradient.Engine.Serving;

namespace OpenGradient.Engine.Diagnostics;

/// <summary>
/// One request's span, child of whatever span its caller was in, with a child per stage. There is one only while somebody
/// listens and wants this request; otherwise nothing is allocated.
/// </summary>
internal sealed class RequestTrace
{
    private static readonly ActivitySource Source = new(EngineTelemetry.ActivitySourceName, typeof(RequestTrace).Assembly.GetName().Version?.ToString(3));

    private readonly Activity _span;
    private readonly TimeProvider _time;
    private readonly long _admitted;
    private readonly DateTimeOffset _admittedAt;

    private RequestTrace(Activity span, TimeProvider time, long admitted, DateTimeOffset admittedAt) =>
        (_span, _time, _admitted, _admittedAt) = (span, time, admitted, admittedAt);

    /// <summary>The stages of the last backend call that the request was part of, null before the first.</summary>
    public BatchTimes? Times { get; set; }

    /// <summary>Null when nobody wants it. The caller's current span is left as it is.</summary>
    public static RequestTrace? Start(PendingRequest request, TimeProvider time)
    {
        if (!Source.HasListeners()) return null;
        var callers = Activity.Current;
        var now = time.GetUtcNow();
        var span = Source.StartActivity(ActivityKind.Internal, startTime: now, name: "infer");
        if (span is { IsAllDataRequested: false })
        {
            span.Dispose();
            span = null;
        }

        Activity.Current = callers;
        if (span is null) return null;
        span.SetTag("model", request.Lane.Info.Name).SetTag("version", request.Lane.Info.Version).SetTag("opengradient.rows", request.Rows);
        return new RequestTrace(span, time, request.AdmittedAt, now);
    }

    /// <summary>For a batch about to be gathered: where its times go, null when none of its requests is traced.</summary>
    public static BatchTimes? OfBatch(ReadOnlySpan<PendingRequest> requests)
    {
        if (!Source.HasListeners()) return null;
        BatchTimes? times = null;
        foreach (var request in requests)
            if (request.Trace is { } trace) trace.Times = times ??= new BatchTimes();
        return times;
    }

    /// <summary>Ends the span, once, before the caller is told.</summary>
    public void End(PendingRequest request)
    {
        // Stopping a span makes its predecessor the thread's current one; this thread's is none of the request's business.
        var threads = Activity.Current;
        var now = _time.GetTimestamp();
        if (Times is { } times)
        {
            Stage("queue", _admitted, times.Started);
            Stage("gather", times.Started, times.Gathered);
            Stage("execute", times.Gathered, times.Executed);
            if (request.Batch is not null) Stage("seal", times.Executed, times.Sealed);
            Stage("scatter", times.Sealed, times.Scattered);
            _span.SetTag("opengradient.batch.rows", request.BatchRows).SetTag("opengradient.batch.first_slot", request.FirstSlot);
        }
        else
        {
            Stage("queue", _admitted, now);
        }

        if (request.Failure is { } failure) _span.SetStatus(ActivityStatusCode.Error, failure.Message).SetTag("error.type", failure.Kind.ToString());
        Stop(_span, now);
        Activity.Current = threads;
    }

    private void Stage(string name, long start, long end)
    {
        // A stage that was not reached has no times.
        if (start == 0 || end < start) return;
        if (Source.StartActivity(ActivityKind.Internal, _span.Context, startTime: At(start), name: name) is { } stage) Stop(stage, end);
    }

    private void Stop(Activity span, long at)
    {
        span.SetEndTime(At(at).UtcDateTime);
        span.Stop();
    }

    private DateTimeOffset At(long timestamp) => _admittedAt + _time.GetElapsedTime(_admitted, timestamp);
}

/// <summary>One backend call's timestamps, shared by the traced requests in it; zero: not reached. Written by the worker before the requests are completed.</summary>
internal sealed class BatchTimes
{
    public long Started { get; set; }

    public long Gathered { get; set; }

    public long Executed { get; set; }

    public long Sealed { get; set; }

    public long Scattered { get; set; }
}
