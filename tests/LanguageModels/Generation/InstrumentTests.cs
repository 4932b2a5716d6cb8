using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Generation;

public sealed class InstrumentTests
{
    [Fact]
    public async Task Statistics_AfterAnswers_CountThem()
    {
        var (runtime, clock) = (new FakeRuntime(), new ManualClock());
        runtime.Stepping = (_, _) => clock.Advance(TimeSpan.FromMilliseconds(10));
        await using var model = FakeModel.Serve(runtime, services: new LanguageModelServices { Time = clock });
        for (var i = 0; i < 3; i++) await model.Answer(FakeModel.Request([i, 1, 2], 5));
        var statistics = model.Statistics;
        Assert.Equal((9L, 0L, 15L, 15L), (statistics.PromptTokens, statistics.CachedPromptTokens, statistics.CompletionTokens, statistics.Steps));
        Assert.Equal(21, statistics.ComputedTokens);
        Assert.Equal((3L, 12L, 15L), (statistics.FirstToken.Count, statistics.InterToken.Count, statistics.StepTime.Count));
        Assert.Equal(0.01, statistics.InterToken.MaxSeconds, 9);
        Assert.Equal(0.12, statistics.InterToken.SumSeconds, 9);
        Assert.Equal(0.01, statistics.InterToken.Quantile(0.5), 9);
        Assert.Equal(0, statistics.InterToken.CountAtMost(0.005));
        Assert.Equal(12, statistics.InterToken.CountAtMost(0.02));
        Assert.Equal(96, statistics.Pages);
    }

    /// <summary>Every instrument states a unit and a description, names are lower case, and the tags are bounded.</summary>
    [Fact]
    public async Task Meter_WithAListener_TellsEverything()
    {
        var heard = new ConcurrentBag<(Instrument Instrument, double Value, string[] Tags)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == LanguageModelTelemetry.MeterName) self.EnableMeasurementEvents(instrument);
        };
        void Hear(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) => heard.Add((instrument, value, [.. tags.ToArray().Select(tag => tag.Key)]));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Hear(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Hear(instrument, value, tags));
        listener.Start();
        await using var model = FakeModel.Serve(new FakeRuntime());
        await model.Answer(FakeModel.Request([1], 5));
        listener.RecordObservableInstruments();
        Assert.All(heard, each =>
        {
            Assert.Matches("^opengradient\\.llm\\.[a-z_.]+$", each.Instrument.Name);
            Assert.NotEmpty(each.Instrument.Unit!);
            Assert.NotEmpty(each.Instrument.Description!);
            Assert.Subset(new HashSet<string> { "model", "version", "finish" }, each.Tags.ToHashSet());
        });
        Assert.Contains(heard, each => each.Instrument.Name == "opengradient.llm.tokens.completion" && each.Value >= 5);
        Assert.Contains(heard, each => each.Instrument.Name == "opengradient.llm.inter_token.duration");
        Assert.Contains(heard, each => each.Instrument.Name == "opengradient.llm.first_token.duration");
    }
}
