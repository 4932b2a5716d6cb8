using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Settlement;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>The gap by model, its objective, its bound, and why settlement batches closed, for <see cref="MetricsEndpoint"/>.</summary>
internal static class TrustGapMetrics
{
    // 0.13 ms to 73 min: shorter than a sync of a fast disk, longer than the finality of the usual chains.
    private const int FirstPower = 17, LastPower = 42;

    public static void Append(PrometheusText text, SettlementService settlement, TrustGapSnapshot gap)
    {
        AppendModels(text, settlement.ModelGaps());
        AppendObjective(text, gap.Objective);
        AppendBound(text, settlement.Bound());
        text.Family("og_settlement_closes_total", "counter", "Settlement batches closed, by why.");
        foreach (var (reason, count) in gap.Closes.Counts) text.Sample("og_settlement_closes_total", PrometheusText.Label("reason", reason.ToString()), count);
    }

    private static void AppendModels(PrometheusText text, IReadOnlyList<ModelGap> models)
    {
        text.Family("og_model_open_receipts", "gauge", "Open receipts by model and the stage they stand at.");
        foreach (var model in models)
            foreach (var stage in model.Open) text.Sample("og_model_open_receipts", Labels(model, stage.Stage), stage.Receipts);
        text.Family("og_model_oldest_open_seconds", "gauge", "Age of the oldest receipt that stands at a stage, by model; 0 when none does.");
        foreach (var model in models)
            foreach (var stage in model.Open) text.Sample("og_model_oldest_open_seconds", Labels(model, stage.Stage), stage.Oldest.TotalSeconds);
        text.Family("og_model_gap_seconds", "histogram", "Time from execution to a stage, by model.");
        foreach (var model in models)
            foreach (var reached in model.Reached) AppendHistogram(text, Labels(model, reached.Stage), reached.Gap);
        text.Family("og_model_gap_max_seconds", "gauge", "The longest time from execution to a stage, by model, since the process began.");
        foreach (var model in models)
            foreach (var reached in model.Reached) text.Sample("og_model_gap_max_seconds", Labels(model, reached.Stage), reached.Gap.AtPercentiles().Max.TotalSeconds);
    }

    private static void AppendHistogram(PrometheusText text, string labels, GapDistribution gap)
    {
        for (var power = FirstPower; power <= LastPower; power++)
            text.Sample("og_model_gap_seconds_bucket", $"{labels},{PrometheusText.Bound((1L << power) * 1e-9)}", gap.CountAtMost(1ul << power));
        text.Sample("og_model_gap_seconds_bucket", $"{labels},le=\"+Inf\"", gap.Receipts);
        text.Sample("og_model_gap_seconds_sum", labels, gap.SumSeconds);
        text.Sample("og_model_gap_seconds_count", labels, gap.Receipts);
    }

    private static void AppendObjective(PrometheusText text, ObjectiveSnapshot objective)
    {
        text.Family("og_objective_seconds", "gauge", "The objective's time to its stage.");
        text.Sample("og_objective_seconds", PrometheusText.Label("stage", objective.Objective.Stage.Text()), objective.Objective.Within.TotalSeconds);
        text.Family("og_objective_share", "gauge", "The objective's share of receipts.");
        text.Sample("og_objective_share", "", objective.Objective.Share);
        text.Family("og_objective_receipts_total", "counter", "Receipts that met or missed the objective.");
        text.Sample("og_objective_receipts_total", PrometheusText.Label("met", "true"), objective.Met);
        text.Sample("og_objective_receipts_total", PrometheusText.Label("met", "false"), objective.Missed);
        text.Family("og_objective_burn_rate", "gauge", "How fast what the objective leaves is spent: 1 is as fast as allowed.");
        text.Sample("og_objective_burn_rate", PrometheusText.Label("window", "5m"), objective.BurnFiveMinutes);
        text.Sample("og_objective_burn_rate", PrometheusText.Label("window", "1h"), objective.BurnOneHour);
    }

    private static void AppendBound(PrometheusText text, BoundSnapshot bound)
    {
        text.Family("og_gap_bound_used", "gauge", "The open gap as a share of its bound, the larger of count and age.");
        text.Sample("og_gap_bound_used", "", bound.Used);
        text.Family("og_gap_bound_delay_seconds", "gauge", "How long a request waits at admission now.");
        text.Sample("og_gap_bound_delay_seconds", "", bound.Verdict == Formats.AdmissionVerdict.SlowDown ? bound.Wait.TotalSeconds : 0);
        text.Family("og_gap_bound_requests_total", "counter", "Requests that the bound slowed down or refused.");
        text.Sample("og_gap_bound_requests_total", PrometheusText.Label("verdict", "slowed"), bound.Slowed);
        text.Sample("og_gap_bound_requests_total", PrometheusText.Label("verdict", "refused"), bound.Refused);
    }

    private static string Labels(ModelGap model, Formats.ReceiptStage stage) =>
        $"{PrometheusText.Label("model", model.Model)},{PrometheusText.Label("stage", stage.Text())}";
}
