using System.Text.Json;
using OpenGradient.Engine.Engine.Tests.Contract;

namespace OpenGradient.Engine.Engine.Tests.Torch;

/// <summary>Archives that must be refused, and modules that misbehave in a call: each by its own reason, and the engine serves on.</summary>
public sealed class TorchBadModelTests
{
    public static TheoryData<string> RefusedFiles => [.. Listed("refused")];

    public static TheoryData<string> MisbehavingFiles => [.. Listed("misbehaves")];

    [TorchTheory, MemberData(nameof(RefusedFiles))]
    public async Task Load_BadArchive_IsRefusedByNameAndTheNextModelLoads(string file)
    {
        await using var engine = TorchSubject.Instance.Create();
        var error = await Assert.ThrowsAsync<ModelLoadException>(() => engine.LoadModelAsync(new ModelOptions { Name = "bad", Path = Path.Combine(TorchFiles.Folder, "tests", file) }));
        Assert.True(error.Reason is ModelLoadReason.Corrupt or ModelLoadReason.Unsupported or ModelLoadReason.Empty, $"{error.Reason}: {error.Message}");
        Assert.Contains("'bad'", error.Message);
        Assert.Empty(engine.Models);
        await engine.LoadModelAsync(TorchSubject.Instance.Options("noop"));
        using var result = await engine.InferAsync(new InferenceRequest("noop").Add<float>("x", [1, 1], new float[] { 3 }));
        Assert.Equal(3f, result.Values<float>(0)[0]);
    }

    [TorchTheory, MemberData(nameof(MisbehavingFiles))]
    public async Task Infer_ModuleThatMisbehaves_FailsByNameAndTheEngineServesOn(string file)
    {
        await using var engine = await TorchSubject.Instance.CreateWith(TorchSubject.Instance.Options("noop"));
        var path = Path.Combine(TorchFiles.Folder, "tests", file);
        string said;
        try
        {
            await engine.LoadModelAsync(TorchSubject.Instance.Options("noop") with { Name = "odd", Path = path, Determinism = null, ProbeBudget = TimeSpan.FromMilliseconds(200) });
            var failure = await Failure(engine);
            Assert.True(failure.Kind is InferenceFailureKind.BackendFailed, $"{failure.Kind}: {failure.Message}");
            Assert.DoesNotContain("/", failure.Message);
            said = failure.OperatorDetail ?? "";
        }
        catch (ModelLoadException error)
        {
            // What can be seen in the archive is seen when it is loaded.
            said = error.Message;
        }

        Assert.NotEmpty(said);
        using var good = await engine.InferAsync(new InferenceRequest("noop").Add<float>("x", [1, 1], new float[] { 3 }));
        Assert.Equal(3f, good.Values<float>(0)[0]);
    }

    [TorchFact]
    public async Task Infer_OneRowOverWhichForwardRaises_FailsAlone()
    {
        await using var engine = await TorchSubject.Instance.CreateWith(TorchSubject.Instance.Options("raises") with { Workers = 1, MaxQueueDelay = TimeSpan.FromMilliseconds(50), MaxBatch = 4 });
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => engine.TryInferAsync(Row("raises", i == 2 ? -1 : i)).AsTask()));
        Assert.Equal([true, true, false, true], outcomes.Select(outcome => outcome.IsSuccess));
        var failure = outcomes[2].Failure!;
        Assert.Equal(InferenceFailureKind.BackendFailed, failure.Kind);
        Assert.DoesNotContain("negative", failure.Message);
        Assert.Contains("a value is negative", failure.OperatorDetail);
        foreach (var outcome in outcomes.Where(outcome => outcome.IsSuccess)) outcome.Result.Dispose();
    }

    [TorchFact]
    public async Task Infer_RowThatTakesMoreMemoryThanThereIs_FailsAloneAndTheModelServesOn()
    {
        await using var engine = await TorchSubject.Instance.CreateWith(TorchSubject.Instance.Options("huge") with { Workers = 1 });
        for (var time = 0; time < 3; time++)
        {
            var failure = await Engines.Failure(engine, Row("huge", 2000));
            Assert.Equal(InferenceFailureKind.BackendFailed, failure.Kind);
            using var good = await engine.InferAsync(Row("huge", 1));
            Assert.Equal(1f, good.Values<float>(0)[0]);
        }
    }

    private static Task<InferenceFailure> Failure(InferenceEngine engine) => Engines.Failure(engine, Row("odd", 2000, -2000));

    private static InferenceRequest Row(string model, params float[] firsts) =>
        new InferenceRequest(model).Add<float>("x", [firsts.Length, 4], firsts.SelectMany(first => new[] { first, 1, 1, 1 }).ToArray());

    private static IEnumerable<string> Listed(string kind)
    {
        using var listing = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(TorchFiles.Folder, "tests", "models.json")));
        return [.. from model in listing.RootElement.EnumerateArray() where model.GetProperty("kind").ValueEquals(kind) select model.GetProperty("file").GetString()];
    }
}
