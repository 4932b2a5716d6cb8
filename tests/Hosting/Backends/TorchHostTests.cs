using System.Diagnostics;
using System.Runtime.Intrinsics.X86;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Hosting.Embedding;
using OpenGradient.Engine.Hosting.Replay;
using OpenGradient.Engine.Hosting.Tests.Auditing;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Torch;
using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Hosting.Tests.Backends;

/// <summary>A host that serves TorchScript: its receipts are replayed and audited as those of ONNX models are.</summary>
public sealed class TorchHostTests(Anvil anvil) : IClassFixture<Anvil>, IDisposable
{
    private static readonly string Models = Path.Combine(RepositoryRoot.Path, "models");
    private static readonly string Encoder = Path.Combine(Models, "torch", "encoder");
    private static readonly NamedTensor[] Inputs =
    [
        NamedTensor.Of<long>("input_ids", [1, 32], [.. Enumerable.Range(1, 32).Select(i => (long)i)]),
        NamedTensor.Of<long>("attention_mask", [1, 32], [.. Enumerable.Repeat(1L, 32)]),
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("og-torch-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [TorchHostFact]
    public async Task Infer_TorchModel_NamesWhatExecutedAndIsReproduced()
    {
        var (bundle, answer, evidence) = await Answered(Encoder);
        var context = Statement.Decode(bundle.Receipt.Statement.Span).Context;
        Assert.Equal(("encoder", "libtorch", "cpu"), (context.ModelName, context.Runtime.Backend, context.Runtime.Provider));
        var info = TorchLibrary.Load().Info;
        Assert.Equal((info.LibTorch, info.Digest), (context.Runtime.LibraryVersion, context.Runtime.LibraryDigest));
        var bound = EpochBinding.Decode(Evidence.Decode(evidence.Span).Binding.Span).Libraries;
        foreach (var file in info.Files) Assert.Contains((Path.GetFileNameWithoutExtension(file.Name), file.Digest), bound);

        using var replayer = new BundleReplayer();
        foreach (var model in (string[])[Path.Combine(Encoder, "model.pt"), Encoder, Path.Combine(Models, "torch"), Models])
        {
            var result = replayer.Replay(bundle, model, Inputs, answer);
            Assert.True(result is { Outcome: ReplayOutcome.Reproduced, AnswerIsCommitted: true }, $"{model}: {result.Outcome} {result.Detail}");
        }

        // The same weights as ONNX are another model.
        Assert.Equal(ReplayOutcome.WrongModel, replayer.Replay(bundle, Path.Combine(Models, "encoder", "model.onnx"), Inputs, answer).Outcome);
    }

    [TorchHostFact]
    public async Task Evidence_WithoutTorchModel_NamesNoLibtorch()
    {
        var (_, _, evidence) = await Answered(Path.Combine(Models, "encoder"));
        Assert.DoesNotContain(EpochBinding.Decode(Evidence.Decode(evidence.Span).Binding.Span).Libraries, library => library.Name.Contains("torch", StringComparison.Ordinal));
    }

    [TorchHostFact(NeedsAnvil = true)]
    public async Task Audit_TorchModel_ReproducesWhatIsHonestAndDisputesTheRest()
    {
        await using var pipeline = await Pipeline.Start(anvil, _folder, oneIn: 1, model: Filled());
        var honest = await pipeline.Answer(3);
        await pipeline.Settle(honest);
        await pipeline.AuditAll();
        Assert.All(honest, receipt => Assert.Equal(AuditOutcome.Reproduced, pipeline.OutcomeOf(receipt)));

        pipeline.Backend.LieFrom = 1;
        var lies = await pipeline.Answer(2);
        await pipeline.Settle(lies);
        await pipeline.AuditAll();
        Assert.All(lies, receipt => Assert.Equal(AuditOutcome.Disputed, pipeline.OutcomeOf(receipt)));
    }

    [TorchHostFact]
    public async Task Doctor_WithLibtorch_ExplainsBothBackends()
    {
        var (code, said) = await Og("doctor", "--set", $$"""models=[{"path":"{{Encoder}}"}]""");
        Assert.True(code == 0, said);
        foreach (var line in (string[])["onnx runtime", "libtorch", "libtorch_cpu.so", "numerics", "tf32=off", "cuda"]) Assert.Contains(line, said);
    }

    [TorchHostFact]
    public async Task Doctor_CoreTypeOfOpenBlas_IsTheOperatorsWhereHeSetOne()
    {
        var (_, said) = await Og([("OPENBLAS_CORETYPE", "Nehalem")], "doctor");
        if (!said.Contains("BLAS openblas", StringComparison.Ordinal)) return;
        Assert.Contains("Nehalem", said);
        (_, said) = await Og([("OPENBLAS_CORETYPE", null)], "doctor");
        Assert.DoesNotContain("Nehalem", said);
        if (Avx512BW.IsSupported) Assert.Contains("SkylakeX", said);
    }

    [Fact]
    public async Task Doctor_WithoutLibtorch_FailsOnlyWhereAModelNeedsIt()
    {
        var missing = $"torch.library={Path.Combine(_folder, "absent.so")}";
        var (code, said) = await Og("doctor", "--set", missing);
        Assert.True(code == 0, said);
        Assert.Contains("not here, and no configured model needs it", said);
        (code, said) = await Og("doctor", "--set", missing, "--set", $$"""models=[{"path":"{{Encoder}}"}]""");
        Assert.Equal(1, code);
        Assert.Contains("MISSING", said);
        Assert.Contains("absent.so", said);
    }

    [Fact]
    public async Task Serve_TorchModelWithoutLibtorch_IsRefusedAtTheStartByName()
    {
        var (code, said) = await Og("serve", "--set", $"data={_folder}/data", "--set", "http.listen=http://127.0.0.1:0", "--set", "operatorListen=",
            "--set", $"torch.library={Path.Combine(_folder, "absent.so")}", "--set", $$"""models=[{"path":"{{Encoder}}"}]""");
        Assert.Equal(2, code);
        Assert.Contains("absent.so", said);
        Assert.DoesNotContain("   at ", said);
    }

    private static string Filled()
    {
        var folder = Path.Combine(Models, "torch", "digits");
        if (File.Exists(Path.Combine(folder, "model.pt"))) return Path.Combine(folder, "model.pt");
        using var fill = Process.Start("python3", [Path.Combine(Models, "torch", "fill.py"), folder]);
        fill.WaitForExit();
        return Path.Combine(folder, "model.pt");
    }

    private async Task<(ReceiptBundle Bundle, KnownAnswer Answer, ReadOnlyMemory<byte> Evidence)> Answered(string model)
    {
        var configuration = new HostConfiguration { Data = Path.Combine(_folder, "data"), Models = [new ModelConfiguration { Path = model }] };
        await using var services = new ServiceCollection().AddOpenGradientEngine(configuration).BuildServiceProvider();
        foreach (var service in services.GetServices<IHostedService>()) await service.StartAsync(CancellationToken.None);
        var request = new InferenceRequest("encoder");
        foreach (var input in Inputs) request.Add(input.Name, input.Type, input.Shape.Span, input.Data);
        var inference = services.GetRequiredService<ProvenInference>();
        using var answer = await inference.InferAsync(request);
        return (answer.Bundle(), KnownAnswer.Of(answer.Result), inference.Host.Epoch.Epoch.Evidence);
    }

    private static Task<(int Code, string Output)> Og(params string[] arguments) => Og([], arguments);

    private static async Task<(int Code, string Output)> Og((string Name, string? Value)[] environment, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "og"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var og = Process.Start(start)!;
        var (output, error) = (og.StandardOutput.ReadToEndAsync(), og.StandardError.ReadToEndAsync());
        await og.WaitForExitAsync();
        return (og.ExitCode, await output + await error);
    }
}

/// <summary>A test that needs libtorch, and a node where it says so; visibly skipped without.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TorchHostFactAttribute : FactAttribute
{
    public TorchHostFactAttribute() => Skip = Libtorch.Missing;

    public bool NeedsAnvil
    {
        get => false;
        set => Skip ??= value && Anvil.Binary is null ? "no anvil: set OG_ANVIL, or run npm ci --ignore-scripts in the repository's root" : null;
    }
}
