using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Native;
using OpenGradient.Engine.Torch.Interop;

namespace OpenGradient.Engine.Torch;

/// <summary>Opens TorchScript archives in a loaded libtorch. Safe for concurrent calls.</summary>
public sealed unsafe class TorchBackend(TorchLibrary library) : IModelBackend
{
    // OGT_FREEZE: attributes become constants; bits stay those of the module as it was saved.
    private const uint Freeze = 1;

    // Weights are stored as they are, code and debug text are compressed: what unpacks to more is made to fill memory.
    private const ulong MostTimes = 2, MostBeyond = 64UL << 20;

    public TorchLibrary Library => library;

    public IBackendModel Open(string modelName, ModelArtifact artifact, ExecutionOptions options)
    {
        ArgumentNullException.ThrowIfNull(artifact);
        ArgumentNullException.ThrowIfNull(options);
        if (artifact.Model.Length == 0) throw new ModelLoadException(ModelLoadReason.Empty, $"the file of model '{modelName}' is empty");
        var (device, description) = SelectDevice(modelName, options);
        var module = Load(modelName, artifact.Model, device, options);
        try
        {
            return new TorchModel(library, module, modelName, Fingerprint(device, description, options));
        }
        catch
        {
            module.Dispose();
            throw;
        }
    }

    private NativeHandle Load(string modelName, ReadOnlyNativeMemory model, ExecutionDevice device, ExecutionOptions options)
    {
        var load = new NativeLoad
        {
            Device = TorchLibrary.CodeOf(device),
            DeviceIndex = device == ExecutionDevice.Cuda ? options.DeviceId : 0,
            Freeze = Freeze,
            Threads = (uint)options.IntraOpThreads,
            MaxBytes = ((ulong)model.Length * MostTimes) + MostBeyond,
        };
        nint module;
        NativeError error;
        TorchCheck.CheckLoad(library.Functions.ModuleFromMemory(model.Pointer, (ulong)model.Length, &load, &module, &error), error, modelName);
        return TorchCheck.Own(module, library.Functions.ModuleFree);
    }

    private (ExecutionDevice Device, TorchDevice? Description) SelectDevice(string modelName, ExecutionOptions options)
    {
        if (options.Device == ExecutionDevice.Cpu) return (ExecutionDevice.Cpu, null);
        if (library.Device(ExecutionDevice.Cuda, options.DeviceId, out var reason) is { } gpu) return (ExecutionDevice.Cuda, gpu);
        if (options.AllowCpuFallback) return (ExecutionDevice.Cpu, null);
        throw new ModelLoadException(ModelLoadReason.DeviceMissing,
            $"model '{modelName}' asks for CUDA device {options.DeviceId}, which libtorch {library.Info.LibTorch} cannot use: {reason}");
    }

    private RuntimeFingerprint Fingerprint(ExecutionDevice device, TorchDevice? gpu, ExecutionOptions options) => new(
        "libtorch",
        library.Info.LibTorch,
        library.Info.Digest,
        device == ExecutionDevice.Cuda ? "cuda" : "cpu",
        TorchFingerprint.DeviceOf(gpu),
        "model",
        TorchFingerprint.Options(library.Info, gpu, options.IntraOpThreads, fellBack: device != options.Device));
}
