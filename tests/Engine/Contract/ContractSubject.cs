using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.OnnxRuntime;
using OpenGradient.Engine.Tensors;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Engine.Tests.Contract;

/// <summary>A backend under the contract, and the models that its format has of it. Every format has the same: names, types, shapes and answers.</summary>
public abstract class ContractSubject
{
    public abstract IModelBackend Backend { get; }

    /// <summary>As fingerprints name it.</summary>
    public abstract string Name { get; }

    /// <summary>The file of a model.</summary>
    public abstract string File(string model);

    /// <summary>Whether a call that runs can be stopped.</summary>
    public virtual bool StopsCalls => true;

    /// <summary>Whether calls after the first ones allocate nothing.</summary>
    public virtual bool IsAllocationFree => true;

    /// <summary>What a fingerprint's options name in any case.</summary>
    public virtual IReadOnlyList<string> StatedOptions => ["align=64", "libm="];

    /// <summary>What the probe at load finds: class and least rows of the padding rule.</summary>
    public abstract IReadOnlyDictionary<string, (DeterminismClass Class, int MinimumRows)> Classes { get; }

    /// <summary>Not probed: most tests are about something else.</summary>
    public ModelOptions Options(string model) => new() { Name = model, Path = File(model), Determinism = DeterminismClass.A, RecheckOneIn = 0 };

    public InferenceEngine Create(IBatchSealer? sealer = null, ISealedBatchSink? sink = null) =>
        new(new InferenceEngineOptions { Backend = Backend, Sealer = sealer, Sink = sink });

    public async Task<InferenceEngine> CreateWith(params ModelOptions[] models)
    {
        var engine = Create();
        foreach (var model in models) await engine.LoadModelAsync(model);
        return engine;
    }

    /// <summary>Opened without an engine; the file's bytes are overwritten and freed before it is used.</summary>
    public unsafe IBackendModel Open(string model, ExecutionOptions? options = null)
    {
        var file = System.IO.File.ReadAllBytes(File(model));
        using var bytes = new NativeBuffer();
        bytes.Reserve(file.Length);
        file.CopyTo(new Span<byte>(bytes.Pointer, file.Length));
        using var artifact = new ModelArtifact(new ReadOnlyNativeMemory(bytes.Pointer, file.Length), [], default, memory: null);
        var opened = Backend.Open(model, artifact, options ?? new ExecutionOptions());
        new Span<byte>(bytes.Pointer, file.Length).Fill(0xff);
        return opened;
    }
}

public sealed class OnnxSubject : ContractSubject
{
    public static OnnxSubject Instance { get; } = new();

    public override IModelBackend Backend { get; } = new OnnxRuntimeBackend(TestFiles.Library);

    public override string Name => "onnxruntime";

    public override string File(string model) => TestFiles.Model(model);

    public override IReadOnlyDictionary<string, (DeterminismClass Class, int MinimumRows)> Classes { get; } = new Dictionary<string, (DeterminismClass, int)>
    {
        ["identity"] = (DeterminismClass.A, 1),
        ["add"] = (DeterminismClass.A, 1),
        ["noop"] = (DeterminismClass.A, 1),
        ["multi"] = (DeterminismClass.A, 1),
        ["fixed"] = (DeterminismClass.A, 1),
        ["nan"] = (DeterminismClass.A, 1),
        ["digits"] = (DeterminismClass.A, 1),
        ["encoder"] = (DeterminismClass.A, 1),
        ["shape"] = (DeterminismClass.A, 2),
        ["slot"] = (DeterminismClass.B, 1),
        ["dynq"] = (DeterminismClass.C, 1),
    };
}

public sealed class TorchSubject : ContractSubject
{
    private readonly Lazy<TorchBackend> _backend = new(() => new TorchBackend(TorchFiles.Library));

    public static TorchSubject Instance { get; } = new();

    public override IModelBackend Backend => _backend.Value;

    public override string Name => "libtorch";

    public override string File(string model) => TorchFiles.Model(model);

    public override IReadOnlyDictionary<string, (DeterminismClass Class, int MinimumRows)> Classes { get; } = new Dictionary<string, (DeterminismClass, int)>
    {
        ["identity"] = (DeterminismClass.A, 1),
        ["add"] = (DeterminismClass.A, 1),
        ["noop"] = (DeterminismClass.A, 1),
        ["multi"] = (DeterminismClass.A, 1),
        ["fixed"] = (DeterminismClass.A, 1),
        ["nan"] = (DeterminismClass.A, 1),
        ["shape"] = (DeterminismClass.A, 2),
        ["slot"] = (DeterminismClass.B, 1),
        ["dynq"] = (DeterminismClass.C, 1),
    };
}

#if TORCHSHARP
/// <summary>Only in a build with TorchSharp (src/TorchSharp/README.md).</summary>
public sealed class TorchSharpSubject : ContractSubject
{
    private readonly Lazy<TorchSharp.TorchSharpBackend> _backend = new(() => new TorchSharp.TorchSharpBackend());

    public static TorchSharpSubject Instance { get; } = new();

    public override IModelBackend Backend => _backend.Value;

    public override string Name => "torchsharp";

    public override bool StopsCalls => false;

    public override bool IsAllocationFree => false;

    public override IReadOnlyList<string> StatedOptions => ["align=64", "fuser=default"];

    public override string File(string model) => TorchFiles.Model(model);

    public override IReadOnlyDictionary<string, (DeterminismClass Class, int MinimumRows)> Classes => TorchSubject.Instance.Classes;
}
#endif
