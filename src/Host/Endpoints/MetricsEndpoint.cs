using System.Text;
using OpenGradient.Engine.Host.Server;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Settlement;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>
/// <c>GET /metrics</c> on the operator's listener, in Prometheus' text format (docs/operations.md, "Metrics"). Labels come from
/// the configuration and from closed sets alone, never from a request.
/// </summary>
internal sealed class MetricsEndpoint(EngineHost host, Drain drain)
{
    // 1 µs to 17 s: shorter than the shortest stage and longer than a stop may take.
    private static readonly (int, int) Nanoseconds = (10, 34);

    // The largest batch that a model can have is 65,535 rows.
    private static readonly (int, int) Rows = (0, 16);

    private static readonly ServingStage[] Stages = [.. Enum.GetValues<ServingStage>().Where(stage => stage != ServingStage.Total)];

    public async Task Handle(HttpContext context)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(Render()), context.RequestAborted);
    }

    private string Render()
    {
        var text = new PrometheusText();
        AppendModels(text);
        LanguageModelMetrics.Append(text, host);
        text.Family("og_in_flight_requests", "gauge", "Inference calls over HTTP that have begun and are not answered.");
        text.Sample("og_in_flight_requests", "", drain.InFlight);
        text.Family("og_draining", "gauge", "1 from the request to drain or stop on.");
        text.Sample("og_draining", "", drain.IsDraining ? 1 : 0);
        EpochMetrics.Append(text, host);
        if (host.Settlement is { } settlement)
        {
            AppendSettlement(text, settlement);
            AuditMetrics.Append(text, host, settlement);
        }

        if (host.Worker is { } worker) WorkerMetrics.Append(text, [worker]);
        return text.ToString();
    }

    private void AppendModels(PrometheusText text)
    {
        var models = host.Engine.Models
            .Select(model => new ModelRow(
                $"{PrometheusText.Label("model", model.Name)},{PrometheusText.Label("version", model.Version)}",
                host.Engine.Statistics(model.Name, model.Version)!, host.Engine.Health(model.Name, model.Version)))
            .Where(model => model.Statistics is not null)
            .ToArray();
        void PerModel(string name, string kind, string help, Func<ModelRow, double> value)
        {
            text.Family(name, kind, help);
            foreach (var model in models) text.Sample(name, model.Labels, value(model));
        }

        PerModel("og_requests_total", "counter", "Requests answered.", model => model.Statistics.Requests);
        PerModel("og_abandoned_requests_total", "counter", "Requests cancelled or out of time before a worker took them.", model => model.Statistics.Abandoned);
        PerModel("og_rows_total", "counter", "Rows executed.", model => model.Statistics.Rows);
        PerModel("og_batches_total", "counter", "Backend calls.", model => model.Statistics.Batches);
        PerModel("og_failed_batches_total", "counter", "Backend calls that failed.", model => model.Statistics.FailedBatches);
        PerModel("og_refused_by_sink_total", "counter", "Sealed batches that the outbox did not take.", model => model.Statistics.RefusedBySink);
        PerModel("og_waiting_requests", "gauge", "Requests waiting now.", model => model.Statistics.Waiting);
        PerModel("og_model_health", "gauge", "0 ready, 1 degraded, 2 unavailable.", model => (double)(model.Health?.Health ?? ModelHealth.Ready));
        PerModel("og_hung_calls_total", "counter", "Backend calls given up because they did not end.", model => model.Statistics.HungCalls);
        PerModel("og_rechecks_total", "counter", "Rows executed again behind their answers.", model => model.Statistics.Rechecks);
        PerModel("og_recheck_mismatches_total", "counter", "Of these, rows that gave other bits.", model => model.Statistics.RecheckMismatches);

        text.Family("og_batch_size_reasons_total", "counter", "Backend calls by why they were no larger.");
        foreach (var model in models)
            foreach (var (reason, count) in model.Statistics.SizeReasons)
                text.Sample("og_batch_size_reasons_total", $"{model.Labels},{PrometheusText.Label("reason", reason.ToString())}", count);

        text.Family("og_stage_seconds", "histogram", "Where the time goes: queue per request, the other stages per backend call.");
        foreach (var model in models)
            foreach (var stage in Stages)
                text.Histogram("og_stage_seconds", $"{model.Labels},{PrometheusText.Label("stage", stage.ToString().ToLowerInvariant())}", model.Statistics.Stage(stage), Nanoseconds, 1e-9);
        text.Family("og_request_seconds", "histogram", "From admission until the caller is told.");
        foreach (var model in models) text.Histogram("og_request_seconds", model.Labels, model.Statistics.Stage(ServingStage.Total), Nanoseconds, 1e-9);
        text.Family("og_batch_rows", "histogram", "Rows per backend call, padding not counted.");
        foreach (var model in models) text.Histogram("og_batch_rows", model.Labels, model.Statistics.BatchSizes, Rows, 1);
    }

    private static void AppendSettlement(PrometheusText text, SettlementService settlement)
    {
        var gap = settlement.Snapshot();
        text.Family("og_open_receipts", "gauge", "Receipts that are neither final nor quarantined, by stage.");
        foreach (var (stage, count) in gap.OpenByStage) text.Sample("og_open_receipts", PrometheusText.Label("stage", stage.Text()), count);
        text.Family("og_final_receipts", "gauge", "Final receipts known to this process.");
        text.Sample("og_final_receipts", "", gap.Final);
        text.Family("og_quarantined_receipts", "gauge", "Receipts whose check failed.");
        text.Sample("og_quarantined_receipts", "", gap.Quarantined);
        text.Family("og_oldest_open_seconds", "gauge", "Age of the oldest receipt that is not final.");
        text.Sample("og_oldest_open_seconds", "", gap.OldestOpen.TotalSeconds);
        text.Family("og_trust_gap_seconds", "summary", "Time from execution to a stage, since the process began.");
        AppendGap(text, "durable", gap.Durable);
        AppendGap(text, "verified", gap.Verified);
        AppendGap(text, "anchored", gap.Anchored);
        AppendGap(text, "final", gap.ToFinal);
        TrustGapMetrics.Append(text, settlement, gap);
        text.Family("og_condition", "gauge", "What holds settlement up now.");
        foreach (var condition in settlement.Conditions) text.Sample("og_condition", PrometheusText.Label("kind", condition.Kind.ToString()), 1);
        text.Family("og_conditions_total", "counter", "How often each condition began.");
        foreach (var (kind, count) in settlement.ConditionsRaised) text.Sample("og_conditions_total", PrometheusText.Label("kind", kind.ToString()), count);
    }

    private static void AppendGap(PrometheusText text, string stage, GapPercentiles gap)
    {
        var label = PrometheusText.Label("stage", stage);
        if (gap.Receipts > 0)
        {
            text.Sample("og_trust_gap_seconds", label + ",quantile=\"0.5\"", gap.P50.TotalSeconds);
            text.Sample("og_trust_gap_seconds", label + ",quantile=\"0.9\"", gap.P90.TotalSeconds);
            text.Sample("og_trust_gap_seconds", label + ",quantile=\"0.99\"", gap.P99.TotalSeconds);
        }

        text.Sample("og_trust_gap_seconds_count", label, gap.Receipts);
    }

    private sealed record ModelRow(string Labels, ModelStatistics Statistics, ModelHealthReport? Health);
}
