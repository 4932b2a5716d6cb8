using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.OnnxRuntime;
using TorchSharp;

namespace OpenGradient.Engine.TorchSharp;

/// <summary>
/// Opens TorchScript archives with TorchSharp. For hosts that have its package anyway; libog_torch serves the same archives with
/// fewer copies, and it alone can stop a call and keep operators deterministic. Safe for concurrent calls.
/// </summary>
public sealed unsafe class TorchSharpBackend : IModelBackend
{
    private readonly TorchSharpOptions _options;

    /// <exception cref="PlatformNotSupportedException">The build has no TorchSharp.</exception>
    public TorchSharpBackend(TorchSharpOptions? options = null)
    {
        _options = options ?? new TorchSharpOptions();
        torch.InitializeDeviceType(DeviceType.CPU);
        if (torch.cuda.is_available())
        {
            torch.backends.cuda.matmul.allow_tf32 = _options.AllowTf32;
            torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = false;
            torch.backends.cudnn.allow_tf32 = _options.AllowTf32;
        }
    }

    public IBackendModel Open(string modelName, ModelArtifact artifact, ExecutionOptions options)
    {
        ArgumentNullException.ThrowIfNull(artifact);
        ArgumentNullException.ThrowIfNull(options);
        if (artifact.Model.Length == 0) throw new ModelLoadException(ModelLoadReason.Empty, $"the file of model '{modelName}' is empty");
        var signature = TorchSharpSignature.OfArchive(modelName, artifact.Model);
        var device = SelectDevice(modelName, options);
        var archive = new ReadOnlySpan<byte>(artifact.Model.Pointer, checked((int)artifact.Model.Length)).ToArray();
        try
        {
            var module = torch.jit.load(archive, device, device == DeviceType.CUDA ? options.DeviceId : -1);
            module.eval();
            return new TorchSharpModel(module, signature, device, options, Fingerprint(device, options));
        }
#pragma warning disable CA1031 // Whatever libtorch says of an archive arrives as an exception of any type.
        catch (Exception error) when (error is not ModelLoadException)
#pragma warning restore CA1031
        {
            throw new ModelLoadException(ModelLoadReason.Corrupt, $"model '{modelName}' was refused by libtorch: {error.Message}", error);
        }
    }

    private static DeviceType SelectDevice(string modelName, ExecutionOptions options)
    {
        if (options.Device == ExecutionDevice.Cpu) return DeviceType.CPU;
        if (torch.cuda.is_available() && options.DeviceId < torch.cuda.device_count()) return DeviceType.CUDA;
        if (options.AllowCpuFallback) return DeviceType.CPU;
        throw new ModelLoadException(ModelLoadReason.DeviceMissing, $"model '{modelName}' asks for CUDA device {options.DeviceId}, which TorchSharp does not have");
    }

    private RuntimeFingerprint Fingerprint(DeviceType device, ExecutionOptions options)
    {
        string[] all =
        [
            // TorchSharp leaves libtorch's fuser and profiling as they are, and cannot ask for deterministic operators.
            "align=64", "deterministic=off", "fuser=default", $"intra={options.IntraOpThreads}", "profiling=default", "reduced=off",
            $"tf32={(_options.AllowTf32 ? "on" : "off")}", $"torchsharp={typeof(torch).Assembly.GetName().Version}",
        ];
        var stated = device == DeviceType.CPU && options.Device == ExecutionDevice.Cuda ? all.Append("fallback=cpu") : all;
        return new RuntimeFingerprint(
            "torchsharp", torch.__version__, TorchSharpLibraries.Digest(), device == DeviceType.CUDA ? "cuda" : "cpu",
            device == DeviceType.CUDA ? $"gpu{options.DeviceId} with {InstructionSet.Current}" : InstructionSet.Current, "model",
            string.Join(';', stated.Order(StringComparer.Ordinal)));
    }
}
