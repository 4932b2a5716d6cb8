using System.Diagnostics.Metrics;

namespace OpenGradient.Engine.Settlement.Witnessing;

/// <summary>What witnesses have cosigned, for listeners of System.Diagnostics. The tag is a witness's name from the configuration: bounded.</summary>
internal sealed class WitnessInstruments : IDisposable
{
    private readonly Meter _meter = new(SettlementTelemetry.MeterName, typeof(WitnessInstruments).Assembly.GetName().Version?.ToString(3));

    public WitnessInstruments(Func<IReadOnlyList<WitnessStatus>> status) => _meter.CreateObservableGauge(
        "opengradient.settlement.witness.size",
        () => status().Select(one => new Measurement<long>((long)one.Cosigned, new KeyValuePair<string, object?>("witness", one.Name))),
        "{leaf}", "Leaves under the newest checkpoint that a witness cosigned.");

    public void Dispose() => _meter.Dispose();
}
