using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace OpenGradient.Engine.Engine.Tests;

/// <summary>What a listener to the engine's meter hears.</summary>
[Collection(AllocationTests.Undisturbed)]
public sealed class MeterTests
{
    [Fact]
    public async Task Meter_WithAListener_TellsCountersHistogramsAndTags()
    {
        var name = $"metered-{Guid.NewGuid():N}";
        var time = new SteppedTime();
        var backend = new FakeBackend { Working = () => time.Step(2_000_000) };
        await using var engine = new InferenceEngine(new InferenceEngineOptions { Backend = backend, Sealer = new SteppingSealer(time, 1_000, 3_000), Time = time });
        await engine.LoadModelAsync(FakeEngine.Options with { Name = name, Version = "7" });
        using var heard = new Heard(name);
        for (var i = 0; i < 3; i++) (await engine.InferAsync(new InferenceRequest(name).Add<float>("x", [2, 1], new float[2]))).Dispose();
        await heard.Until("opengradient.engine.request.duration", 3);
        heard.Observe();

        Assert.Equal([3.0], heard.Values("opengradient.engine.requests"));
        Assert.Equal([6.0], heard.Values("opengradient.engine.rows"));
        Assert.Equal([3.0], heard.Values("opengradient.engine.batches"));
        Assert.Equal([0.0], heard.Values("opengradient.engine.batches.failed"));
        Assert.Equal([0.0], heard.Values("opengradient.engine.batches.refused_by_sink"));
        Assert.Equal([0.0], heard.Values("opengradient.engine.requests.abandoned"));
        Assert.Equal([0.0], heard.Values("opengradient.engine.requests.waiting"));
        Assert.Equal([0.0], heard.Values("opengradient.engine.model.health"));
        Assert.Equal([2.0, 2.0, 2.0], heard.Values("opengradient.engine.batch.size"));
        Assert.Equal(3, heard.Values("opengradient.engine.stage.duration", "execute").Count(value => Math.Abs(value - 0.002) < 1e-12));
        Assert.Equal(3, heard.Values("opengradient.engine.stage.duration", "sign").Count(value => Math.Abs(value - 3e-6) < 1e-12));
        foreach (var stage in (string[])["queue", "gather", "commit", "scatter"]) Assert.Equal(3, heard.Values("opengradient.engine.stage.duration", stage).Length);
        Assert.Empty(heard.Values("opengradient.engine.stage.duration", "total"));
        Assert.All(heard.All, measurement => Assert.Equal("7", measurement.Tags["version"]));
        Assert.Equal(["model", "stage", "version"], heard.All.SelectMany(measurement => measurement.Tags.Keys).Distinct().Order());
    }

    [Fact]
    public async Task Meter_OfADisposedEngine_IsSilent()
    {
        var name = $"gone-{Guid.NewGuid():N}";
        using var heard = new Heard(name);
        await using (var engine = FakeEngine.Create(new FakeBackend())) await engine.LoadModelAsync(FakeEngine.Options with { Name = name });
        heard.Observe();
        Assert.Empty(heard.All);
    }

    /// <summary>Every instrument states a unit and a description; names are lower case, dotted.</summary>
    [Fact]
    public async Task Instruments_AllOfThem_HaveUnitsAndDescriptions()
    {
        var instruments = new ConcurrentBag<Instrument>();
        using var listener = new MeterListener { InstrumentPublished = (instrument, _) => instruments.Add(instrument) };
        listener.Start();
        await using var engine = FakeEngine.Create(new FakeBackend());
        var ours = instruments.Where(instrument => instrument.Meter.Name == EngineTelemetry.MeterName).ToArray();
        Assert.NotEmpty(ours);
        Assert.All(ours, instrument =>
        {
            Assert.Matches("^opengradient\\.engine\\.[a-z_.]+$", instrument.Name);
            Assert.NotEmpty(instrument.Unit!);
            Assert.NotEmpty(instrument.Description!);
        });
    }

    private sealed class Heard : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly string _model;

        public Heard(string model)
        {
            _model = model;
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == EngineTelemetry.MeterName) listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Hear(instrument, value, tags));
            _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Hear(instrument, value, tags));
            _listener.Start();
        }

        public ConcurrentQueue<(string Name, double Value, Dictionary<string, string> Tags)> All { get; } = new();

        public void Observe() => _listener.RecordObservableInstruments();

        public double[] Values(string name, string? stage = null) =>
            [.. All.Where(one => one.Name == name && (stage is null || one.Tags["stage"] == stage)).Select(one => one.Value)];

        public async Task Until(string name, int count)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
            while (Values(name).Length < count) await Task.Delay(1, limit.Token);
        }

        public void Dispose() => _listener.Dispose();

        // Other tests' engines speak through meters of the same name at the same time.
        private void Hear(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var named = new Dictionary<string, string>();
            foreach (var (key, tag) in tags) named[key] = (string)tag!;
            if (named["model"] == _model) All.Enqueue((instrument.Name, value, named));
        }
    }
}
