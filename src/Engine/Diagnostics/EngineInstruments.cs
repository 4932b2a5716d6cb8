using System.Diagnostics.Metrics;
using OpenGradient.Engine.Serving;

namespace OpenGradient.Engine.Diagnostics;

/// <summary>
/// One engine's meter: instruments that are asked, over the counters that the workers keep anyway, and three histograms that
/// are told, only while somebody listens. Tags are model and version, both from the operator, and stage: bounded.
/// </summary>
internal sealed class EngineInstruments : IDisposable
{
    private readonly Meter _meter = new(EngineTelemetry.MeterName, typeof(EngineInstruments).Assembly.GetName().Version?.ToString(3));
    private readonly Func<IEnumerable<ModelLane>> _lanes;

    /// <param name="lanes">Gives the models that serve at the moment of the call.</param>
    public EngineInstruments(Func<IEnumerable<ModelLane>> lanes)
    {
        _lanes = lanes;
        Counter("opengradient.engine.requests", "{request}", "Requests answered, with a result or a failure.", static lane => lane.Sum(static worker => worker.Requests));
        Counter("opengradient.engine.requests.abandoned", "{request}", "Requests cancelled or out of time before a worker took them.", static lane => lane.Abandoned);
        Counter("opengradient.engine.rows", "{row}", "Rows executed.", static lane => lane.Sum(static worker => worker.Rows));
        Counter("opengradient.engine.batches", "{batch}", "Backend calls.", static lane => lane.Sum(static worker => worker.Batches));
        Counter("opengradient.engine.batches.failed", "{batch}", "Backend calls that failed.", static lane => lane.Sum(static worker => worker.FailedBatches));
        Counter("opengradient.engine.batches.refused_by_sink", "{batch}", "Sealed batches that the sink did not take.", static lane => lane.Sum(static worker => worker.RefusedBySink));
        Counter("opengradient.engine.hung_calls", "{call}", "Backend calls given up because they did not end.", static lane => lane.Hung.Total);
        Counter("opengradient.engine.rechecks", "{row}", "Rows executed again behind their answers.", static lane => lane.Recheck?.Compared ?? 0);
        Counter("opengradient.engine.rechecks.mismatched", "{row}", "Of these, rows that gave other bits.", static lane => lane.Recheck?.Mismatches ?? 0);
        _meter.CreateObservableGauge("opengradient.engine.model.health", () => Each(static lane => (int)lane.Health.Current.Health), "1", "0 ready, 1 degraded, 2 unavailable.");
        _meter.CreateObservableUpDownCounter("opengradient.engine.requests.waiting", () => Each(static lane => lane.Waiting), "{request}", "Requests waiting now.");

        // Powers of four: what the engine's own figures have as powers of two is too many series for a push.
        StageDuration = _meter.CreateHistogram("opengradient.engine.stage.duration", "s", "Time per stage: queue per request, the others per backend call.", tags: null, Seconds());
        RequestDuration = _meter.CreateHistogram("opengradient.engine.request.duration", "s", "From admission until the caller is told.", tags: null, Seconds());
        BatchSize = _meter.CreateHistogram(
            "opengradient.engine.batch.size", "{row}", "Rows per backend call, padding not counted.", tags: null,
            new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] });
    }

    /// <summary>Seconds; tags model, version, stage.</summary>
    public Histogram<double> StageDuration { get; }

    /// <summary>Seconds; tags model, version.</summary>
    public Histogram<double> RequestDuration { get; }

    /// <summary>Rows; tags model, version.</summary>
    public Histogram<long> BatchSize { get; }

    public void Dispose() => _meter.Dispose();

    private void Counter(string name, string unit, string description, Func<ModelLane, long> value) =>
        _meter.CreateObservableCounter(name, () => Each(value), unit, description);

    private IEnumerable<Measurement<long>> Each(Func<ModelLane, long> value) =>
        _lanes().Select(lane => new Measurement<long>(value(lane), LaneRecorder.Model(lane.Info), LaneRecorder.Version(lane.Info)));

    private static InstrumentAdvice<double> Seconds() =>
        new() { HistogramBucketBoundaries = [.. Enumerable.Range(0, 13).Select(step => (1L << (10 + (2 * step))) * 1e-9)] };
}
