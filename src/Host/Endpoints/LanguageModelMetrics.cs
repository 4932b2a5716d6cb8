using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.LanguageModels;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>The language models' part of <see cref="MetricsEndpoint"/>.</summary>
internal static class LanguageModelMetrics
{
    // Doublings of 100 µs, up to 105 s: a token takes a millisecond or so, a place in a long queue a minute.
    private const int Buckets = 21;
    private const double FirstBucket = 1e-4;

    public static void Append(PrometheusText text, EngineHost host)
    {
        var rows = host.LanguageModels.All
            .Select(model => new Row($"{PrometheusText.Label("model", model.Name)},{PrometheusText.Label("version", model.Version)}", model.Statistics))
            .ToArray();
        if (rows.Length == 0) return;
        void PerModel(string name, string kind, string help, Func<LanguageModelStatistics, double> value)
        {
            text.Family(name, kind, help);
            foreach (var row in rows) text.Sample(name, row.Labels, value(row.Statistics));
        }

        PerModel("og_llm_waiting_requests", "gauge", "Requests that wait for a slot.", model => model.Waiting);
        PerModel("og_llm_running_sequences", "gauge", "Sequences that have a slot.", model => model.Running);
        PerModel("og_llm_preempted_sequences", "gauge", "Sequences that wait to go on after their cache was taken away.", model => model.Preempted);
        PerModel("og_llm_refused_requests_total", "counter", "Requests that were not admitted.", model => model.Refused);
        PerModel("og_llm_prompt_tokens_total", "counter", "Tokens of prompts, cached ones included.", model => model.PromptTokens);
        PerModel("og_llm_cached_prompt_tokens_total", "counter", "Tokens of prompts that were found in the cache.", model => model.CachedPromptTokens);
        PerModel("og_llm_completion_tokens_total", "counter", "Tokens that were chosen.", model => model.CompletionTokens);
        PerModel("og_llm_computed_tokens_total", "counter", "Tokens that the runtime computed.", model => model.ComputedTokens);
        PerModel("og_llm_steps_total", "counter", "Calls of the runtime for answers.", model => model.Steps);
        PerModel("og_llm_failed_steps_total", "counter", "Calls of the runtime that failed.", model => model.FailedSteps);
        PerModel("og_llm_preemptions_total", "counter", "How often a sequence's cache was taken away.", model => model.Preemptions);
        PerModel("og_llm_embeddings_total", "counter", "Embeddings that were computed.", model => model.Embeddings);
        PerModel("og_llm_heads_total", "counter", "Heads that were signed.", model => model.Heads);
        PerModel("og_llm_refused_by_sink_total", "counter", "Statements that the outbox did not take.", model => model.RefusedBySink);
        PerModel("og_llm_cache_pages", "gauge", "Pages of the cache that exist.", model => model.Pages);
        PerModel("og_llm_cache_pages_held", "gauge", "Pages that sequences hold.", model => model.PagesHeld);
        PerModel("og_llm_cache_pages_cached", "gauge", "Pages that nobody holds and a later prompt may find.", model => model.PagesCached);
        text.Family("og_llm_answers_total", "counter", "Answers that ended, by why.");
        foreach (var row in rows)
            foreach (var (reason, count) in row.Statistics.Finished)
                text.Sample("og_llm_answers_total", $"{row.Labels},{PrometheusText.Label("finish", reason.ToString())}", count);
        AppendTimes(text, rows);
    }

    private static void AppendTimes(PrometheusText text, Row[] rows)
    {
        void Times(string name, string help, Func<LanguageModelStatistics, LatencyDistribution> values)
        {
            text.Family(name, "histogram", help);
            foreach (var row in rows) AppendHistogram(text, name, row.Labels, values(row.Statistics));
        }

        Times("og_llm_queue_seconds", "From admission until a slot was there.", model => model.Queued);
        Times("og_llm_first_token_seconds", "From admission to the first token.", model => model.FirstToken);
        Times("og_llm_inter_token_seconds", "From one token of an answer to its next.", model => model.InterToken);
        Times("og_llm_step_seconds", "One step: the runtime's call, sampling and sealing.", model => model.StepTime);
    }

    private static void AppendHistogram(PrometheusText text, string name, string labels, LatencyDistribution values)
    {
        for (var bucket = 0; bucket < Buckets; bucket++)
        {
            // Every fourth edge of the distribution: there its counts are exact.
            var edge = LatencyDistribution.Edges[4 * bucket];
            text.Sample(name + "_bucket", $"{labels},{PrometheusText.Bound(Math.Round(FirstBucket * Math.Pow(2, bucket), 7))}", values.CountAtMost(edge));
        }

        text.Sample(name + "_bucket", labels + ",le=\"+Inf\"", values.Count);
        text.Sample(name + "_sum", labels, values.SumSeconds);
        text.Sample(name + "_count", labels, values.Count);
    }

    private sealed record Row(string Labels, LanguageModelStatistics Statistics);
}
