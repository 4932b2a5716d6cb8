using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Engine.Tests.Faults;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Engine.Tests.Torch;

/// <summary>What TorchBackend and the engine make of a GPU's failures, of a missing driver and of a libtorch that does not fit: over the double.</summary>
public sealed class TorchDeviceTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TorchDoubleFact]
    public async Task Infer_BatchBeyondTheDevicesMemory_IsSplitAndTheRestAnsweredWithTheReason()
    {
        await using var engine = Create();
        await engine.LoadModelAsync(Options("m", fits: 4) with { Workers = 1, MaxBatch = 16, MaxQueueDelay = TimeSpan.FromSeconds(30) });
        // Full with 1, 9, 1, 1 and 4 rows, of which 9 fit nowhere.
        var sizes = (int[])[1, 9, 1, 1, 4];
        for (var time = 0; time < 3; time++)
        {
            var outcomes = await Task.WhenAll(sizes.Select(rows => engine.TryInferAsync(Rows("m", [.. Enumerable.Repeat((float)rows, rows)])).AsTask()));
            Assert.Equal([true, false, true, true, true], outcomes.Select(outcome => outcome.IsSuccess));
            var failure = outcomes[1].Failure!;
            Assert.Equal(InferenceFailureKind.BackendFailed, failure.Kind);
            Assert.Contains("(OutOfMemory)", failure.Message);
            Assert.Contains("CUDA out of memory", failure.OperatorDetail);
            for (var i = 0; i < sizes.Length; i++)
            {
                if (!outcomes[i].IsSuccess) continue;
                using var result = outcomes[i].Result;
                Assert.Equal(Enumerable.Repeat(2f * sizes[i], sizes[i]), result.Values<float>(0).ToArray());
            }
        }

        Assert.Equal(ModelHealth.Ready, engine.Health("m")!.Health);
        Assert.True(TorchDouble.Library.Memory(ExecutionDevice.Cuda, 0).OutOfMemory > 0);
    }

    [TorchDoubleFact]
    public async Task Infer_DeviceThatIsLost_FailsByNameAndOnlyItsModelsAreUnavailable()
    {
        const int Callers = 64;
        await using var engine = Create();
        await engine.LoadModelAsync(Options("lost", device: 3));
        await engine.LoadModelAsync(Options("beside", device: 4));
        await engine.LoadModelAsync(Options("cpu") with { Execution = new ExecutionOptions() });
        var answered = await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var answers = 0;
            for (var i = 0; i < 200; i++, answers++)
            {
                var outcome = await engine.TryInferAsync(Rows("lost", caller == 0 && i == 20 ? TorchDouble.Loses : caller));
                if (outcome.Failure is { } failure)
                {
                    var isNamed = failure.Kind == InferenceFailureKind.BackendFailed && failure.Message.Contains("(DeviceLost)", StringComparison.Ordinal);
                    Assert.True(isNamed || failure.Kind == InferenceFailureKind.ModelUnavailable, $"{failure.Kind}: {failure.Message}");
                    continue;
                }

                using var result = outcome.Result;
                Assert.Equal(2f * caller, result.Values<float>(0)[0]);
            }

            return answers;
        })));
        Assert.Equal(Callers * 200, answered.Sum());
        Assert.Equal(ModelHealth.Unavailable, engine.Health("lost")!.Health);
        Assert.Contains("the device is lost", Assert.Single(engine.Health("lost")!.Reasons));
        await Quiet.Holds(() => engine.Statistics("lost") is { Leased: 0, Waiting: 0 }, "every request came back to the pool");

        // Nothing is loaded onto it any more, and what is on the others serves on.
        var error = await Assert.ThrowsAsync<ModelLoadException>(() => engine.LoadModelAsync(Options("again", device: 3)));
        Assert.Equal(ModelLoadReason.DeviceMissing, error.Reason);
        Assert.Contains("DeviceLost", error.Message);
        foreach (var model in (string[])["beside", "cpu"])
        {
            using var result = await engine.InferAsync(Rows(model, 7));
            Assert.Equal(14f, result.Values<float>(0)[0]);
            Assert.Equal(ModelHealth.Ready, engine.Health(model)!.Health);
        }
    }

    [TorchDoubleFact]
    public async Task Infer_CallThatDoesNotEnd_IsTerminatedAndTheSessionServesOn()
    {
        await using var engine = Create();
        await engine.LoadModelAsync(Options("m") with { ExecutionTimeout = TimeSpan.FromSeconds(1), RunInline = RunInline.Never });
        Assert.Equal(InferenceFailureKind.ExecutionTimeout, (await Engines.Failure(engine, Rows("m", TorchDouble.Endless))).Kind);
        using var result = await engine.InferAsync(Rows("m", 1));
        Assert.Equal(2f, result.Values<float>(0)[0]);
    }

    [TorchDoubleFact]
    public async Task Load_OnAGpu_HasTwoWorkersAndNamesTheDevice()
    {
        await using var engine = Create();
        var info = await engine.LoadModelAsync(Options("m", device: 2));
        Assert.Equal(2, info.Options.Workers);
        var runtime = info.Context.Runtime;
        Assert.Equal(("libtorch", "cuda"), (runtime.Backend, runtime.Provider));
        Assert.StartsWith("Double 2, compute capability 9.0, 132 multiprocessors", runtime.Device);
        foreach (var option in (string[])["tf32=off", "reduced=off", "deterministic=on", "driver=13.0", "cuda=runtime 13.0, driver 13.0"]) Assert.Contains(option, runtime.Options.Split(';'));
        Assert.DoesNotContain("fallback", runtime.Options);
        Assert.Equal(3, (await engine.LoadModelAsync(Options("m", device: 2) with { Workers = 3 })).Options.Workers);
        Assert.True(TorchDouble.Library.Memory(ExecutionDevice.Cuda, 2).Allocated > 0);
    }

    [TorchDoubleTheory]
    [InlineData("", 9, "there are 8 CUDA devices, none of that number")]
    [InlineData("_no_driver", 0, "CUDA driver version is insufficient for CUDA runtime version")]
    public async Task Load_GpuThatIsNotThere_SaysWhyOrFallsBackWhereAllowed(string variant, int device, string reason)
    {
        await using var engine = Create(variant);
        var options = Options("m", device: device) with { Workers = null };
        var error = await Assert.ThrowsAsync<ModelLoadException>(() => engine.LoadModelAsync(options));
        Assert.Equal(ModelLoadReason.DeviceMissing, error.Reason);
        Assert.Contains(reason, error.Message);
        var info = await engine.LoadModelAsync(options with { Execution = options.Execution with { AllowCpuFallback = true } });
        Assert.Equal("cpu", info.Context.Runtime.Provider);
        Assert.Contains("fallback=cpu", info.Context.Runtime.Options);
        Assert.Null(info.Options.Workers);
        var library = TorchLibrary.Load(TorchDouble.PathOf(variant));
        Assert.Equal(variant.Length == 0 ? 8 : 0, library.Devices(ExecutionDevice.Cuda, out var said).Count);
        if (variant.Length > 0) Assert.Contains(reason, said);
    }

    [TorchDoubleTheory]
    [InlineData("_other_version", "its ABI version is 999, this host needs 1")]
    [InlineData("_other_layout", "its struct number 5 has 112 bytes, this host's has 104")]
    [InlineData("_other_libtorch", "WrongLibrary: this was compiled for libtorch 2.11.x, the loaded one is 1.13.1")]
    public void Load_LibraryThatDoesNotFit_SaysWhichVersionAndWhich(string variant, string reason)
    {
        for (var time = 0; time < 2; time++)
            Assert.Contains(reason, Assert.Throws<TorchException>(() => TorchLibrary.Load(TorchDouble.PathOf(variant))).Message);
    }

    private static InferenceEngine Create(string variant = "") =>
        new(new InferenceEngineOptions { Backend = new TorchBackend(TorchLibrary.Load(TorchDouble.PathOf(variant))) });

    private static InferenceRequest Rows(string model, params float[] rows) => new InferenceRequest(model).Add<float>("x", [rows.Length, 1], rows);

    private ModelOptions Options(string name, int fits = 0, int device = 0) => new()
    {
        Name = name, Path = _folder.Write($"{name}.pt", TorchDouble.Archive(fits)), Determinism = Formats.DeterminismClass.A, RecheckOneIn = 0,
        Execution = new ExecutionOptions { Device = ExecutionDevice.Cuda, DeviceId = device },
    };
}
