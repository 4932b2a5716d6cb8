using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Engine.Tests.Contract;

/// <summary>What every backend promises of loading, replacing and unloading. Run by each implementation.</summary>
public abstract class LoadingContract : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private InferenceEngine _engine = null!;

    protected abstract ContractSubject Subject { get; }

    public Task InitializeAsync()
    {
        _engine = Subject.Create();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _engine.DisposeAsync();
        _folder.Dispose();
    }

    [ContractFact]
    public async Task Load_Model_DeclaresItsInputsAndOutputs()
    {
        await _engine.LoadModelAsync(Subject.Options("digits"));
        var encoder = await _engine.LoadModelAsync(Subject.Options("encoder"));
        var digits = _engine.Find("digits")!;
        Assert.Equal(["pixels: Float32[-1,64]"], digits.Inputs.Select(spec => spec.ToString()));
        Assert.Equal(["logits: Float32[-1,10]", "label: Int64[-1]"], digits.Outputs.Select(spec => spec.ToString()));
        Assert.Equal("batch", digits.Inputs[0].Symbols[0]);
        Assert.Null(digits.Inputs[0].Symbols[1]);
        Assert.True(digits.IsBatchable);
        Assert.Equal(["input_ids: Int64[-1,32]", "attention_mask: Int64[-1,32]"], encoder.Inputs.Select(spec => spec.ToString()));
        var lengths = await _engine.LoadModelAsync(Subject.Options("lengths"));
        Assert.Equal(["batch", "length"], lengths.Inputs[0].Symbols);
    }

    [ContractFact]
    public async Task Load_Model_IsIdentifiedByItsBytes()
    {
        var info = await _engine.LoadModelAsync(Subject.Options("digits"));
        using var identity = new ModelIdentity();
        identity.Append(File.ReadAllBytes(Subject.File("digits")));
        Assert.Equal(identity.Finish(), info.Identity);
    }

    [ContractFact]
    public async Task Load_Fingerprint_NamesWhatExecutesAndIsTheSameTwice()
    {
        var first = (await _engine.LoadModelAsync(Subject.Options("noop"))).Context;
        var again = (await _engine.LoadModelAsync(Subject.Options("noop"))).Context;
        var runtime = first.Runtime;
        Assert.Equal(Subject.Name, runtime.Backend);
        Assert.Equal(runtime, again.Runtime);
        Assert.Matches(@"^\d+\.\d+", runtime.LibraryVersion);
        Assert.NotEqual(Hash256.Zero, runtime.LibraryDigest);
        Assert.Equal("cpu", runtime.Provider);
        Assert.Matches("^(x86-64|arm64|portable)", runtime.Device);
        Assert.All(Subject.StatedOptions, option => Assert.Contains(option, runtime.Options));
        var options = runtime.Options.Split(';');
        Assert.Equal(options.Order(StringComparer.Ordinal), options);
        Assert.All(options, option => Assert.Equal(2, option.Split('=').Length));
        Assert.Equal(first.Encode(), StatementContext.Decode(first.Encode()).Encode());
    }

    [ContractFact]
    public async Task Load_IntraOpThreads_AreInTheFingerprint()
    {
        foreach (var threads in (int[])[1, 2])
        {
            // Allowed on a machine of one core too.
            var options = Subject.Options("digits") with { Workers = 1, AllowOversubscription = true, Execution = new ExecutionOptions { IntraOpThreads = threads } };
            var info = await _engine.LoadModelAsync(options);
            Assert.Contains($"intra={threads};", info.Context.Runtime.Options);
            Assert.Equal(10 * sizeof(float), (await Engines.Answer(_engine, Engines.Digits(new float[64]))).Length);
        }
    }

    [ContractFact]
    public Task Load_MissingFile_IsUnreadable() => Refused(Path.Combine(_folder.Path, "none"), ModelLoadReason.Unreadable);

    [ContractFact]
    public Task Load_Folder_IsUnreadable() => Refused(_folder.Path, ModelLoadReason.Unreadable);

    [ContractFact]
    public Task Load_EmptyFile_IsEmpty() => Refused(_folder.Write("empty", []), ModelLoadReason.Empty);

    [ContractFact]
    public Task Load_Garbage_IsCorrupt() => Refused(_folder.Write("garbage", "this is not a model at all"u8), ModelLoadReason.Corrupt);

    [ContractFact]
    public async Task Load_Truncated_IsCorrupt()
    {
        var whole = File.ReadAllBytes(Subject.File("digits"));
        foreach (var kept in (int[])[1, 100, 2_000_000, whole.Length - 1])
            await Refused(_folder.Write("cut", whole.AsSpan(0, kept)), ModelLoadReason.Corrupt);
    }

    [ContractFact]
    public async Task Load_MissingDevice_IsRefusedUnlessTheCpuMayServe()
    {
        // No machine has so many: also where there is a GPU, this one is not there.
        var execution = new ExecutionOptions { Device = ExecutionDevice.Cuda, DeviceId = 63 };
        await Refused(Subject.File("identity"), ModelLoadReason.DeviceMissing, execution);
        var info = await _engine.LoadModelAsync(Subject.Options("identity") with { Execution = execution with { AllowCpuFallback = true } });
        Assert.Equal("cpu", info.Context.Runtime.Provider);
        Assert.Contains("fallback=cpu", info.Context.Runtime.Options);
    }

    [ContractFact]
    public async Task Load_Failed_LeavesTheOldOneServing()
    {
        await _engine.LoadModelAsync(Subject.Options("digits"));
        await Assert.ThrowsAsync<ModelLoadException>(() => _engine.LoadModelAsync(Subject.Options("digits") with { Path = _folder.Write("broken", "junk"u8) }));
        Assert.Equal(40, (await Engines.Answer(_engine, Engines.Digits(new float[64]))).Length);
    }

    [ContractFact]
    public unsafe void Open_FileFreedAfterwards_ModelServesOn()
    {
        using var model = Subject.Open("identity");
        using var executor = model.CreateExecutor();
        using var buffers = new ExecutionBuffers(model.Inputs, model.Outputs);
        buffers.ReserveInput(0, 16);
        new Span<float>(buffers.Input(0), 4).Fill(7);
        buffers.Rows = 1;
        buffers.InputShapes[0][0] = 1;
        buffers.InputShapes[0][1] = 4;
        Assert.Null(executor.Execute(buffers));
        Assert.Equal([7f, 7, 7, 7], new ReadOnlySpan<float>((float*)buffers.OutputData[0], 4).ToArray());
        Assert.Equal([1, 4], buffers.OutputShapes[0]);
        Assert.Equal(16, buffers.OutputBytes[0]);
    }

    [ContractFact]
    public async Task Infer_ModelReplacedAndVersionsUnloaded_NoRequestFails()
    {
        const int Callers = 8, Rounds = 10;
        var options = Subject.Options("noop") with { MaxBatch = 8 };
        await _engine.LoadModelAsync(options);
        using var stop = new CancellationTokenSource();
        var callers = Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var answered = 0;
            for (; !stop.IsCancellationRequested; answered++)
            {
                using var result = await _engine.InferAsync(new InferenceRequest("noop", "1").Add<float>("x", [1, 1], new float[] { caller }));
                Assert.Equal(caller, result.Values<float>(0)[0]);
            }

            return answered;
        })).ToArray();
        for (var round = 0; round < Rounds; round++)
        {
            await _engine.LoadModelAsync(options with { MaxBatch = 4 << (round % 2) });
            await _engine.LoadModelAsync(options with { Version = "2" });
            Assert.True(await _engine.UnloadModelAsync("noop", "2"));
        }

        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(callers), answered => Assert.True(answered > 0));
    }

    private async Task Refused(string path, ModelLoadReason reason, ExecutionOptions? execution = null)
    {
        var options = new ModelOptions { Name = "bad", Path = path, Execution = execution ?? new() };
        var error = await Assert.ThrowsAsync<ModelLoadException>(() => _engine.LoadModelAsync(options));
        Assert.True(reason == error.Reason, $"{error.Reason}: {error.Message}");
        Assert.Contains("'bad'", error.Message);
        Assert.Null(_engine.Find("bad"));
    }
}
