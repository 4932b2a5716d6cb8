using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Hosting.Embedding;
using OpenGradient.Engine.Hosting.Replay;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Hosting.Tests;

/// <summary>An embedding application's receipt, executed again from C#.</summary>
public sealed class BundleReplayTests : IDisposable
{
    private static readonly string Models = Path.Combine(RepositoryRoot.Path, "models");
    private static readonly NamedTensor[] Inputs = [NamedTensor.Of<float>("pixels", [1, 64], [.. Enumerable.Range(0, 64).Select(i => (float)(i % 17))])];

    private readonly string _folder = Directory.CreateTempSubdirectory("og-replay-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Replay_BundleOfAnAnswer_IsReproducedFromFileFolderOrFolderOfModels()
    {
        var (bundle, answer) = await Answered();
        using var replayer = new BundleReplayer();
        foreach (var model in (string[])[Path.Combine(Models, "digits/model.onnx"), Path.Combine(Models, "digits"), Models])
        {
            var result = replayer.Replay(bundle, model, Inputs, answer);
            Assert.Equal((ReplayOutcome.Reproduced, true), (result.Outcome, result.AnswerIsCommitted));
        }
    }

    [Fact]
    public async Task Replay_SeveralModelsOfTheName_TakesTheOneOfTheReceiptsIdentity()
    {
        var (bundle, _) = await Answered();
        var wrong = Directory.CreateDirectory(Path.Combine(_folder, "models", "a")).FullName;
        File.Copy(Path.Combine(Models, "encoder/model.onnx"), Path.Combine(wrong, "model.onnx"));
        File.Copy(Path.Combine(Models, "digits/model.json"), Path.Combine(wrong, "model.json"));
        using var replayer = new BundleReplayer();
        Assert.Equal(ReplayOutcome.WrongModel, replayer.Replay(bundle, Path.Combine(_folder, "models"), Inputs).Outcome);

        File.Copy(Path.Combine(Models, "digits/model.onnx"), Path.Combine(_folder, "models", "digits.onnx"));
        Assert.Equal(ReplayOutcome.Reproduced, replayer.Replay(bundle, Path.Combine(_folder, "models"), Inputs).Outcome);
    }

    [Fact]
    public async Task Replay_NothingOfTheName_NamesTheFolder()
    {
        var (bundle, _) = await Answered();
        using var replayer = new BundleReplayer();
        foreach (var folder in (string[])[_folder, Path.Combine(_folder, "absent")])
            Assert.Contains(folder, Assert.Throws<ConfigurationException>(() => replayer.Replay(bundle, folder, Inputs)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_StatementThatCannotBeRead_IsInvalidAndOpensNothing()
    {
        var (bundle, _) = await Answered();
        using var replayer = new BundleReplayer();
        var damaged = bundle with { Receipt = bundle.Receipt with { Statement = bundle.Receipt.Statement[..^3] } };
        Assert.Equal(ReplayOutcome.ReceiptInvalid, replayer.Replay(damaged, Models, Inputs).Outcome);
    }

    private async Task<(ReceiptBundle Bundle, KnownAnswer Answer)> Answered()
    {
        var configuration = new HostConfiguration { Data = Path.Combine(_folder, "data"), Models = [new ModelConfiguration { Path = Path.Combine(Models, "digits") }] };
        await using var services = new ServiceCollection().AddOpenGradientEngine(configuration).BuildServiceProvider();
        foreach (var service in services.GetServices<IHostedService>()) await service.StartAsync(CancellationToken.None);
        var request = new InferenceRequest("digits").Add(Inputs[0].Name, Inputs[0].Type, Inputs[0].Shape.Span, Inputs[0].Data);
        using var answer = await services.GetRequiredService<ProvenInference>().InferAsync(request);
        return (answer.Bundle(), KnownAnswer.Of(answer.Result));
    }
}
