using System.Diagnostics.Metrics;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement;

/// <summary>The instruments of gap per model, objective, bound and closing. Models are bounded in number, everything else is a closed set.</summary>
internal static class TrustGapInstruments
{
    public static void Add(Meter meter, SettlementService settlement)
    {
        meter.CreateObservableUpDownCounter("opengradient.settlement.model.receipts", () => Open(settlement, stage => stage.Receipts), "{receipt}", "Open receipts, by model and stage.");
        meter.CreateObservableGauge("opengradient.settlement.model.oldest_open", () => Open(settlement, stage => stage.Oldest.TotalSeconds), "s", "Age of the oldest receipt at a stage, by model.");
        meter.CreateObservableGauge("opengradient.settlement.model.trust_gap", () => Gaps(settlement), "s", "Time from execution to a stage, by model, since the process began; quantile 1 is the longest.");
        meter.CreateObservableCounter("opengradient.settlement.objective.receipts", () => Judged(settlement), "{receipt}", "Receipts that met or missed the objective.");
        meter.CreateObservableGauge("opengradient.settlement.objective.burn_rate", () => BurnRates(settlement), "1", "How fast what the objective leaves is spent: 1 is as fast as allowed.");
        meter.CreateObservableGauge("opengradient.settlement.bound.used", () => settlement.Bound().Used, "1", "The open gap as a share of its bound.");
        meter.CreateObservableCounter("opengradient.settlement.bound.requests", () => Bounded(settlement), "{request}", "Requests that the bound slowed down or refused.");
        meter.CreateObservableCounter("opengradient.settlement.closes", () => Closes(settlement), "{batch}", "Settlement batches closed, by why.");
    }

    private static List<Measurement<T>> Open<T>(SettlementService settlement, Func<OpenStage, T> value) where T : struct =>
        [.. settlement.ModelGaps().SelectMany(model => model.Open.Select(stage => new Measurement<T>(value(stage), Model(model), SettlementInstruments.Stage(stage.Stage))))];

    private static List<Measurement<double>> Gaps(SettlementService settlement)
    {
        var measurements = new List<Measurement<double>>();
        foreach (var model in settlement.ModelGaps())
            foreach (var reached in model.Reached.Where(reached => reached.Gap.Receipts > 0))
            {
                var gap = reached.Gap.AtPercentiles();
                foreach (var (quantile, value) in new[] { ("0.5", gap.P50), ("0.9", gap.P90), ("0.99", gap.P99), ("1", gap.Max) })
                    measurements.Add(new(value.TotalSeconds, Model(model), SettlementInstruments.Stage(reached.Stage), new("quantile", quantile)));
            }

        return measurements;
    }

    private static Measurement<long>[] Judged(SettlementService settlement)
    {
        var objective = settlement.Snapshot().Objective;
        return [new(objective.Met, new KeyValuePair<string, object?>("met", "true")), new(objective.Missed, new KeyValuePair<string, object?>("met", "false"))];
    }

    private static Measurement<double>[] BurnRates(SettlementService settlement)
    {
        var objective = settlement.Snapshot().Objective;
        return [new(objective.BurnFiveMinutes, new KeyValuePair<string, object?>("window", "5m")), new(objective.BurnOneHour, new KeyValuePair<string, object?>("window", "1h"))];
    }

    private static Measurement<long>[] Bounded(SettlementService settlement)
    {
        var bound = settlement.Bound();
        return [new(bound.Slowed, new KeyValuePair<string, object?>("verdict", "slowed")), new(bound.Refused, new KeyValuePair<string, object?>("verdict", "refused"))];
    }

    private static List<Measurement<long>> Closes(SettlementService settlement) =>
        [.. settlement.Snapshot().Closes.Counts.Select(close => new Measurement<long>(close.Value, new KeyValuePair<string, object?>("reason", close.Key.ToString())))];

    private static KeyValuePair<string, object?> Model(ModelGap model) => new("model", model.Model);
}
