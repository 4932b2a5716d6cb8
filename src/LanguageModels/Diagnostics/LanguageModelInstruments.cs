using System.Diagnostics.Metrics;

namespace OpenGradient.Engine.LanguageModels.Diagnostics;

/// <summary>
/// One model's meter: instruments that are asked, over the counters that the scheduler keeps anyway, and histograms that are
/// told, only while somebody listens. Tags are model and version, both from the operator, and why an answer ended: bounded.
/// </summary>
internal sealed class LanguageModelInstruments : IDisposable
{
    private readonly Meter _meter = new(LanguageModelTelemetry.MeterName, typeof(LanguageModelInstruments).Assembly.GetName().Version?.ToString(3));
    private readonly KeyValuePair<string, object?>[] _tags;
    private readonly Histogram<double> _firstToken, _interToken;

    /// <param name="statistics">Gives the counters at the moment of the call.</param>
    public LanguageModelInstruments(string model, string version, Func<LanguageModelStatistics> statistics)
    {
        _tags = [new("model", model), new("version", version)];
        Gauge("opengradient.llm.requests.waiting", "{request}", "Requests that wait for a slot.", () => statistics().Waiting);
        Gauge("opengradient.llm.sequences.running", "{sequence}", "Sequences that have a slot.", () => statistics().Running);
        Gauge("opengradient.llm.sequences.preempted", "{sequence}", "Sequences that wait to go on after their cache was taken away.", () => statistics().Preempted);
        Gauge("opengradient.llm.cache.pages.held", "{page}", "Pages of the cache that sequences hold.", () => statistics().PagesHeld);
        Gauge("opengradient.llm.cache.pages.cached", "{page}", "Pages that nobody holds and a later prompt may find.", () => statistics().PagesCached);
        Gauge("opengradient.llm.cache.pages", "{page}", "Pages that exist.", () => statistics().Pages);
        Counter("opengradient.llm.requests.refused", "{request}", "Requests that were not admitted.", () => statistics().Refused);
        Counter("opengradient.llm.tokens.prompt", "{token}", "Tokens of prompts, cached ones included.", () => statistics().PromptTokens);
        Counter("opengradient.llm.tokens.cached", "{token}", "Tokens of prompts that were found in the cache.", () => statistics().CachedPromptTokens);
        Counter("opengradient.llm.tokens.completion", "{token}", "Tokens that were chosen.", () => statistics().CompletionTokens);
        Counter("opengradient.llm.tokens.computed", "{token}", "Tokens that the runtime computed.", () => statistics().ComputedTokens);
        Counter("opengradient.llm.steps", "{step}", "Calls of the runtime for answers.", () => statistics().Steps);
        Counter("opengradient.llm.steps.failed", "{step}", "Calls of the runtime that failed.", () => statistics().FailedSteps);
        Counter("opengradient.llm.preemptions", "{preemption}", "How often a sequence's cache was taken away.", () => statistics().Preemptions);
        Counter("opengradient.llm.heads", "{head}", "Heads that were signed.", () => statistics().Heads);
        Counter("opengradient.llm.statements.refused_by_sink", "{statement}", "Statements that the sink did not take.", () => statistics().RefusedBySink);
        _meter.CreateObservableCounter(
            "opengradient.llm.answers", () => statistics().Finished.Select(pair => new Measurement<long>(pair.Value, [.. _tags, new("finish", pair.Key.ToString())])),
            "{answer}", "Answers that ended, by why.");

        // Powers of two from 1 ms: a first token takes from one step to a long queue.
        InstrumentAdvice<double> seconds = new() { HistogramBucketBoundaries = [.. Enumerable.Range(0, 17).Select(step => (1 << step) * 1e-3)] };
        _firstToken = _meter.CreateHistogram("opengradient.llm.first_token.duration", "s", "From admission to the first token.", tags: null, seconds);
        _interToken = _meter.CreateHistogram("opengradient.llm.inter_token.duration", "s", "From one token of an answer to its next.", tags: null, seconds);
    }

    public void FirstToken(TimeSpan duration)
    {
        if (_firstToken.Enabled) _firstToken.Record(duration.TotalSeconds, _tags);
    }

    public void InterToken(TimeSpan duration)
    {
        if (_interToken.Enabled) _interToken.Record(duration.TotalSeconds, _tags);
    }

    public void Dispose() => _meter.Dispose();

    private void Gauge(string name, string unit, string description, Func<long> value) =>
        _meter.CreateObservableUpDownCounter(name, () => new Measurement<long>(value(), _tags), unit, description);

    private void Counter(string name, string unit, string description, Func<long> value) =>
        _meter.CreateObservableCounter(name, () => new Measurement<long>(value(), _tags), unit, description);
}
