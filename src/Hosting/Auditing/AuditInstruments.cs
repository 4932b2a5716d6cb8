using System.Diagnostics.Metrics;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement;

namespace OpenGradient.Engine.Hosting.Auditing;

/// <summary>The name under which audits tell what they do, for listeners of System.Diagnostics (docs/operations.md, "Metrics").</summary>
public static class AuditTelemetry
{
    public const string MeterName = "OpenGradient.Engine.Audit";
}

/// <summary>Instruments that are asked: nothing is done while nobody listens. Tags are two closed sets.</summary>
internal sealed class AuditInstruments : IDisposable
{
    private readonly Meter _meter = new(AuditTelemetry.MeterName, typeof(AuditInstruments).Assembly.GetName().Version?.ToString(3));

    public AuditInstruments(AuditService audit, SettlementAudits audits)
    {
        _meter.CreateObservableGauge("opengradient.audit.rate", () => 1.0 / audit.OneIn, "1", "Share of rows that is executed again behind its anchor.");
        _meter.CreateObservableCounter("opengradient.audit.draws", () => audits.Totals.Draws, "{draw}", "Anchors that a draw was made for, since the data folder began.");
        _meter.CreateObservableUpDownCounter("opengradient.audit.rows", () => Rows(audits), "{row}", "Drawn rows by what came of them, since the data folder began.");
        _meter.CreateObservableUpDownCounter("opengradient.audit.retained", () => audit.Retention.Report.Bytes, "By", "Bytes kept for draws.");
        _meter.CreateObservableCounter("opengradient.audit.lost", () => Lost(audit), "{row}", "Rows not kept until their draw, by why.");
    }

    public void Dispose() => _meter.Dispose();

    private static List<Measurement<long>> Rows(SettlementAudits audits) =>
        [.. audits.Totals.Rows.Select(rows => new Measurement<long>(rows.Value, new KeyValuePair<string, object?>("outcome", NameOf(rows.Key))))];

    private static List<Measurement<long>> Lost(AuditService audit)
    {
        var report = audit.Retention.Report;
        return
        [
            new(report.Dropped, new KeyValuePair<string, object?>("why", "dropped")),
            new(report.Expired, new KeyValuePair<string, object?>("why", "expired")),
            new(report.Erased, new KeyValuePair<string, object?>("why", "erased")),
        ];
    }

    private static string NameOf(AuditOutcome outcome) => outcome == AuditOutcome.NotReproducible ? "notReproducible" : outcome.ToString().ToLowerInvariant();
}
