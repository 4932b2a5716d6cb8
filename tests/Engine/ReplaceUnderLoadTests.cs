namespace OpenGradient.Engine.Engine.Tests;

/// <summary>Models come and go while every caller keeps asking: nobody's request fails, those naming an unloaded version excepted.</summary>
public sealed class ReplaceUnderLoadTests
{
    private const int Callers = 24, Rounds = 100;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Infer_ModelReplacedAndVersionsUnloadedAHundredTimes_NoRequestFails(bool fake)
    {
        await using var engine = fake ? FakeEngine.Create(new FakeBackend()) : Engines.Create();
        var options = fake ? FakeEngine.Options with { Workers = 2 } : Engines.Options("noop") with { MaxBatch = 8 };
        await engine.LoadModelAsync(options);
        using var stop = new CancellationTokenSource();
        var callers = Enumerable.Range(0, Callers).Select(caller => Task.Run(() => Ask(engine, options.Name, caller, stop.Token))).ToArray();
        try
        {
            for (var round = 0; round < Rounds; round++)
            {
                await engine.LoadModelAsync(options);
                await engine.LoadModelAsync(options with { Version = "2" });
                Assert.Equal("2", engine.Find(options.Name)!.Version);
                Assert.True(await engine.UnloadModelAsync(options.Name, "2"));
                Assert.Equal("1", engine.Find(options.Name)!.Version);
                if (callers.Any(caller => caller.IsCompleted)) break;
            }
        }
        finally
        {
            await stop.CancelAsync();
        }

        var counts = await Task.WhenAll(callers);
        Assert.All(counts, count => Assert.True(count.Answered > 0));
        Assert.True(counts.Sum(count => count.UnknownVersion) > 0, "nobody asked for the version that was away");
        Assert.Equal(["1"], engine.Models.Select(model => model.Version));
    }

    [Fact]
    public async Task Load_OlderVersionAgain_LeavesTheNewestAnswering()
    {
        await using var engine = FakeEngine.Create(new FakeBackend());
        foreach (var version in (string[])["1", "2", "1"]) await engine.LoadModelAsync(FakeEngine.Options with { Version = version });
        Assert.Equal("2", engine.Find("fake")!.Version);
        Assert.Equal(["1", "2"], engine.Models.Select(model => model.Version));
        await engine.UnloadModelAsync("fake");
        Assert.Equal("1", engine.Find("fake")!.Version);
    }

    private static async Task<(int Answered, int UnknownVersion)> Ask(InferenceEngine engine, string model, int caller, CancellationToken stop)
    {
        int answered = 0, unknown = 0;
        string?[] versions = [null, "1", "2"];
        while (!stop.IsCancellationRequested)
        {
            var version = versions[(answered + unknown + caller) % versions.Length];
            var request = new InferenceRequest(model, version).Add<float>("x", [1, 1], new float[] { caller });
            var outcome = await engine.TryInferAsync(request, CancellationToken.None);
            if (outcome.Failure is { } failure)
            {
                Assert.True(version == "2" && failure.Kind == InferenceFailureKind.UnknownModel, $"version {version}: {failure.Kind} {failure.Message}\n{failure.OperatorDetail}");
                unknown++;
                continue;
            }

            using var result = outcome.Result;
            Assert.Equal((model == "fake" ? 2f : 1f) * caller, result.Values<float>(0)[0]);
            answered++;
        }

        return (answered, unknown);
    }
}
