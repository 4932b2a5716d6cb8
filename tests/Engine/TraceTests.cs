using System.Collections.Concurrent;
using System.Diagnostics;

namespace OpenGradient.Engine.Engine.Tests;

/// <summary>Spans, and that there are none when nobody listens.</summary>
[Collection(AllocationTests.Undisturbed)]
public sealed class TraceTests
{
    [Fact]
    public async Task Infer_WithAListener_GivesASpanWithAChildPerStageUnderTheCallersSpan()
    {
        var time = new SteppedTime();
        var backend = new FakeBackend { Working = () => time.Step(4_000_000) };
        await using var engine = new InferenceEngine(new InferenceEngineOptions { Backend = backend, Sealer = new SteppingSealer(time, 1_000_000, 2_000_000), Time = time });
        await engine.LoadModelAsync(FakeEngine.Options);
        using var heard = new Heard();
        using var caller = new Activity("caller").Start();
        using (var result = await engine.InferAsync(FakeEngine.Request(3)))
        {
            Assert.Same(caller, Activity.Current);
            Assert.Equal(6, result.Values<float>(0)[0]);
        }

        var spans = heard.Of(caller.TraceId);
        var infer = Assert.Single(spans, span => span.OperationName == "infer");
        Assert.Equal(caller.SpanId, infer.ParentSpanId);
        Assert.Equal("fake", infer.GetTagItem("model"));
        Assert.Equal("1", infer.GetTagItem("version"));
        Assert.Equal(1, infer.GetTagItem("opengradient.batch.rows"));
        Assert.Equal(ActivityStatusCode.Unset, infer.Status);
        Assert.Equal(TimeSpan.FromMilliseconds(7), infer.Duration);
        var stages = spans.Where(span => span != infer).ToArray();
        Assert.All(stages, stage => Assert.Equal(infer.SpanId, stage.ParentSpanId));
        Assert.Equal(["queue", "gather", "execute", "seal", "scatter"], stages.Select(stage => stage.OperationName));
        // A span that ends as it begins is given one tick.
        Assert.Equal([0.0, 0, 4, 3, 0], stages.Select(stage => Math.Round(stage.Duration.TotalMilliseconds, 2)));
    }

    [Fact]
    public async Task Infer_ThatFails_GivesASpanWithTheKindOfFailure()
    {
        await using var engine = FakeEngine.Create(new FakeBackend());
        await engine.LoadModelAsync(FakeEngine.Options);
        using var heard = new Heard();
        using var caller = new Activity("caller").Start();
        await Engines.Failure(engine, FakeEngine.Request(FakeBackend.Poison));
        var spans = heard.Of(caller.TraceId);
        var infer = Assert.Single(spans, span => span.OperationName == "infer");
        Assert.Equal(ActivityStatusCode.Error, infer.Status);
        Assert.Equal(nameof(InferenceFailureKind.BackendFailed), infer.GetTagItem("error.type"));
        Assert.DoesNotContain("secret", infer.StatusDescription);
        Assert.DoesNotContain(spans, span => span.OperationName is "seal" or "scatter");
    }

    [Fact]
    public async Task Infer_CancelledWhileItWaits_EndsItsSpan()
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(FakeEngine.Options);
        using var heard = new Heard();
        using var caller = new Activity("caller").Start();
        backend.CloseGate();
        var held = engine.InferAsync(FakeEngine.Request(1)).AsTask();
        await backend.Arrived.WaitAsync();
        using var cancel = new CancellationTokenSource();
        var waiting = engine.TryInferAsync(FakeEngine.Request(2), cancel.Token).AsTask();
        await cancel.CancelAsync();
        Assert.Equal(InferenceFailureKind.Cancelled, (await waiting).Failure!.Kind);
        backend.OpenGate();
        (await held).Dispose();
        var spans = heard.Of(caller.TraceId);
        Assert.Equal(2, spans.Count(span => span.OperationName == "infer"));
        Assert.Single(spans, span => span.Status == ActivityStatusCode.Error && Equals(span.GetTagItem("error.type"), "Cancelled"));
    }

    [Fact]
    public async Task Infer_UnderACallersSpanThatIsNotSampled_GivesNoSpan()
    {
        await using var engine = FakeEngine.Create(new FakeBackend());
        await engine.LoadModelAsync(FakeEngine.Options);
        using var heard = new Heard(ActivitySamplingResult.PropagationData);
        using var caller = new Activity("caller").Start();
        (await engine.InferAsync(FakeEngine.Request(1))).Dispose();
        Assert.Same(caller, Activity.Current);
        Assert.All(heard.Of(caller.TraceId), span => Assert.False(span.IsAllDataRequested));
        Assert.DoesNotContain(heard.Of(caller.TraceId), span => span.OperationName != "infer");
    }

    private sealed class Heard : IDisposable
    {
        private readonly ConcurrentQueue<Activity> _stopped = new();
        private readonly ActivityListener _listener;

        public Heard(ActivitySamplingResult wanted = ActivitySamplingResult.AllData)
        {
            _listener = new ActivityListener
            {
                ShouldListenTo = source => source.Name == EngineTelemetry.ActivitySourceName,
                // Tests run beside each other: only spans under a caller's are wanted.
                Sample = (ref ActivityCreationOptions<ActivityContext> options) => options.Parent.TraceId == default ? ActivitySamplingResult.None : wanted,
                ActivityStopped = _stopped.Enqueue,
            };
            ActivitySource.AddActivityListener(_listener);
        }

        public Activity[] Of(ActivityTraceId trace) => [.. _stopped.Where(span => span.TraceId == trace)];

        public void Dispose() => _listener.Dispose();
    }
}
