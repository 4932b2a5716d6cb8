using System.Diagnostics.Metrics;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement;

/// <summary>The name under which settlement tells what it does, for listeners of System.Diagnostics (docs/operations.md, "Metrics").</summary>
public static class SettlementTelemetry
{
    public const string MeterName = "OpenGradient.Engine.Settlement";
}

/// <summary>
/// Instruments that are asked: nothing is counted twice and nothing is done while nobody listens. The gap's quantiles are
/// gauges, because it is measured under the state's lock, where no listener may be called. Tags are stages, kinds and three
/// quantiles: bounded.
/// </summary>
internal sealed class SettlementInstruments : IDisposable
{
    private readonly Meter _meter = new(SettlementTelemetry.MeterName, typeof(SettlementInstruments).Assembly.GetName().Version?.ToString(3));
    private readonly SettlementService _settlement;

    public SettlementInstruments(SettlementService settlement)
    {
        _settlement = settlement;
        _meter.CreateObservableUpDownCounter("opengradient.settlement.receipts", Receipts, "{receipt}", "Receipts known to this process, by stage.");
        _meter.CreateObservableGauge("opengradient.settlement.oldest_open", () => _settlement.Snapshot().OldestOpen.TotalSeconds, "s", "Age of the oldest receipt that is neither final nor quarantined.");
        _meter.CreateObservableGauge("opengradient.settlement.trust_gap", Quantiles, "s", "Time from execution to a stage, since the process began.");
        _meter.CreateObservableCounter("opengradient.settlement.trust_gap.receipts", Measured, "{receipt}", "Receipts that reached a stage, since the process began.");
        _meter.CreateObservableGauge("opengradient.settlement.condition", Conditions, "1", "1 for each condition that holds settlement up now.");
        TrustGapInstruments.Add(_meter, settlement);
        _meter.CreateObservableCounter("opengradient.settlement.conditions", Raised, "{condition}", "How often each condition began.");
    }

    public void Dispose() => _meter.Dispose();

    private List<Measurement<long>> Receipts()
    {
        var gap = _settlement.Snapshot();
        return
        [
            .. gap.OpenByStage.Select(open => new Measurement<long>(open.Value, Stage(open.Key))),
            new(gap.Final, Stage(ReceiptStage.Final)),
            new(gap.Quarantined, Stage(ReceiptStage.Quarantined)),
        ];
    }

    private List<Measurement<double>> Quantiles()
    {
        var measurements = new List<Measurement<double>>();
        foreach (var (stage, gap) in Gaps())
        {
            if (gap.Receipts == 0) continue;
            foreach (var (quantile, value) in new[] { ("0.5", gap.P50), ("0.9", gap.P90), ("0.99", gap.P99) })
                measurements.Add(new(value.TotalSeconds, Stage(stage), new("quantile", quantile)));
        }

        return measurements;
    }

    private List<Measurement<long>> Measured() => [.. Gaps().Select(one => new Measurement<long>(one.Gap.Receipts, Stage(one.Stage)))];

    private List<Measurement<long>> Conditions() => [.. _settlement.Conditions.Select(condition => new Measurement<long>(1, Kind(condition.Kind)))];

    private List<Measurement<long>> Raised() => [.. _settlement.ConditionsRaised.Select(raised => new Measurement<long>(raised.Value, Kind(raised.Key)))];

    private (ReceiptStage Stage, GapPercentiles Gap)[] Gaps()
    {
        var gap = _settlement.Snapshot();
        return [(ReceiptStage.Durable, gap.Durable), (ReceiptStage.Verified, gap.Verified), (ReceiptStage.Anchored, gap.Anchored), (ReceiptStage.Final, gap.ToFinal)];
    }

    internal static KeyValuePair<string, object?> Stage(ReceiptStage stage) => new("stage", stage.ToString().ToLowerInvariant());

    private static KeyValuePair<string, object?> Kind(ConditionKind kind) => new("kind", kind.ToString());
}
