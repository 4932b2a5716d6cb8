using System.Globalization;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Settlement;

namespace OpenGradient.Engine.Host.Endpoints;

/// <summary>The audit's part of <see cref="MetricsEndpoint"/>.</summary>
internal static class AuditMetrics
{
    public static void Append(PrometheusText text, EngineHost host, SettlementService settlement)
    {
        var totals = settlement.Audits.Totals;
        text.Family("og_audit_one_in", "gauge", "One row in so many is executed again behind its anchor; 0 when audits are off.");
        text.Sample("og_audit_one_in", "", host.Audit?.OneIn ?? 0);
        text.Family("og_audit_detection_probability", "gauge", "Probability that at least one of so many bad rows is drawn.");
        foreach (var bad in (long[])[1, 100, 10_000])
            text.Sample("og_audit_detection_probability", PrometheusText.Label("bad_rows", bad.ToString(CultureInfo.InvariantCulture)), AuditDraw.DetectionProbability(host.Audit?.OneIn ?? 0, bad));
        text.Family("og_audit_draws_total", "counter", "Anchors that a draw was made for, since the data folder began.");
        text.Sample("og_audit_draws_total", "", totals.Draws);
        text.Family("og_audit_rows", "gauge", "Drawn rows by what came of them, since the data folder began.");
        foreach (var (outcome, count) in totals.Rows) text.Sample("og_audit_rows", PrometheusText.Label("outcome", AuditJson.Text(outcome)), count);
        text.Family("og_audit_not_reproducible_rows", "gauge", "Of the drawn rows, those that nothing can be said of, by why.");
        foreach (var (reason, count) in totals.Reasons) text.Sample("og_audit_not_reproducible_rows", PrometheusText.Label("reason", AuditJson.Text(reason)), count);
        var report = host.Audit?.Retention.Report;
        text.Family("og_audit_retained_rows", "gauge", "Rows whose input and output are kept for a draw.");
        text.Sample("og_audit_retained_rows", "", report?.Rows ?? 0);
        text.Family("og_audit_retained_bytes", "gauge", "Bytes they take.");
        text.Sample("og_audit_retained_bytes", "", report?.Bytes ?? 0);
        text.Family("og_audit_lost_rows_total", "counter", "Rows not kept until their draw: no room, window over, erased.");
        text.Sample("og_audit_lost_rows_total", PrometheusText.Label("why", "dropped"), report?.Dropped ?? 0);
        text.Sample("og_audit_lost_rows_total", PrometheusText.Label("why", "expired"), report?.Expired ?? 0);
        text.Sample("og_audit_lost_rows_total", PrometheusText.Label("why", "erased"), report?.Erased ?? 0);
        text.Family("og_audit_trouble", "gauge", "1 while the last pass of the audit did not come to its end.");
        text.Sample("og_audit_trouble", "", host.Audit?.Trouble is null ? 0 : 1);
        text.Family("og_epoch_halted", "gauge", "1 while this host's signing key is stopped.");
        text.Sample("og_epoch_halted", "", host.IsHalted ? 1 : 0);
    }
}
