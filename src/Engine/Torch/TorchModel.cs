using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Native;
using OpenGradient.Engine.OnnxRuntime;
using OpenGradient.Engine.Tensors;
using OpenGradient.Engine.Torch.Interop;

namespace OpenGradient.Engine.Torch;

/// <summary>An opened module. One serves all executors: libtorch's forward is safe for concurrent calls of a module that writes nothing of its own.</summary>
internal sealed unsafe class TorchModel : IBackendModel
{
    // OGT_MODULE_...
    private const uint Signed = 1, Stateful = 2;

    private readonly NativeHandle _module;
    private int _disposed;

    /// <param name="module">Owned from here on, unless this throws.</param>
    /// <exception cref="ModelLoadException">The module declares no types and shapes, or its calls depend on each other.</exception>
    public TorchModel(TorchLibrary library, NativeHandle module, string modelName, RuntimeFingerprint fingerprint)
    {
        Library = library;
        Fingerprint = fingerprint;
        _module = module;
        using var loan = module.Borrow();
        NativeModuleInfo info;
        NativeError error;
        TorchCheck.CheckLoad(library.Functions.ModuleDescribe(loan.Value, &info, &error), error, modelName);
        if ((info.Flags & Signed) == 0)
            throw new ModelLoadException(ModelLoadReason.Unsupported, $"model '{modelName}': the archive has no signature; save it with the extra file 'opengradient.signature', which names types and shapes of inputs and outputs");
        if ((info.Flags & Stateful) != 0)
            throw new ModelLoadException(ModelLoadReason.Unsupported, $"model '{modelName}': forward writes to the module's own attributes, so that calls would depend on earlier ones and on those beside them");
        Inputs = TorchSignature.Read(library.Functions, loan.Value, modelName, TorchSignature.Input, info.Inputs);
        Outputs = TorchSignature.Read(library.Functions, loan.Value, modelName, TorchSignature.Output, info.Outputs);
    }

    public TorchLibrary Library { get; }

    public IReadOnlyList<TensorSpec> Inputs { get; }

    public IReadOnlyList<TensorSpec> Outputs { get; }

    public RuntimeFingerprint Fingerprint { get; }

    public IBackendExecutor CreateExecutor()
    {
        nint session;
        NativeError error;
        using var loan = _module.Borrow();
        TorchCheck.Check(Library.Functions.SessionCreate(loan.Value, &session, &error), error, "create a session");
        return new TorchExecutor(this, TorchCheck.Own(session, Library.Functions.SessionFree));
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0) return;
        // A session keeps its module alive: the order does not matter.
        _module.Dispose();
        NativeEnvironment.ReturnFreedMemory();
    }
}
