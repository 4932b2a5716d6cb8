using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>Opens ONNX models in a loaded ONNX Runtime. Safe for concurrent calls.</summary>
public sealed unsafe class OnnxRuntimeBackend(OnnxRuntimeLibrary library) : IModelBackend
{
    public OnnxRuntimeLibrary Library => library;

    public IBackendModel Open(string modelName, ReadOnlyNativeMemory bytes, ExecutionOptions options)
    {
        if (bytes.Length == 0) throw new ModelLoadException(ModelLoadReason.Empty, $"the file of model '{modelName}' is empty");
        if (OnnxExternalData.Find(new ReadOnlySpan<byte>(bytes.Pointer, checked((int)bytes.Length))) is { } location)
            throw new ModelLoadException(ModelLoadReason.ExternalData, $"model '{modelName}' keeps weights in another file ('{location}'); save it with all weights inside");

        var api = library.Api;
        using var sessionOptions = OrtSessionOptions.Create(api);
        var device = SelectDevice(modelName, options, sessionOptions);
        nint session;
        var status = api.CreateSessionFromArray(library.Environment, bytes.Pointer, (nuint)bytes.Length, sessionOptions.Value, &session);
        if (OrtStatus.Take(api, status) is { } error) throw Refused(modelName, error);
        var owner = new OrtHandle(session, api.ReleaseSession);
        try
        {
            return new OrtModel(library, owner, modelName, Fingerprint(device, options));
        }
        catch
        {
            owner.Dispose();
            throw;
        }
    }

    private ExecutionDevice SelectDevice(string modelName, ExecutionOptions options, OrtHandle sessionOptions)
    {
        if (options.Device == ExecutionDevice.Cpu) return ExecutionDevice.Cpu;
        if (OrtSessionOptions.AppendCuda(library.Api, sessionOptions, options.DeviceId) is not { } error) return ExecutionDevice.Cuda;
        if (options.AllowCpuFallback) return ExecutionDevice.Cpu;
        throw new ModelLoadException(ModelLoadReason.DeviceMissing,
            $"model '{modelName}' asks for CUDA device {options.DeviceId}, which the library '{library.Info.Path}' cannot use: {error.Message}");
    }

    private RuntimeFingerprint Fingerprint(ExecutionDevice device, ExecutionOptions options) => new(
        "onnxruntime",
        library.Info.Version,
        new Hash256(library.Info.Sha256.Span),
        device == ExecutionDevice.Cuda ? "cuda" : "cpu",
        device == ExecutionDevice.Cuda ? $"{CudaDevice.Describe(options.DeviceId)} with {InstructionSet.Current}" : InstructionSet.Current,
        "model",
        OrtSessionOptions.Describe(device, fellBack: device != options.Device));

    private static ModelLoadException Refused(string modelName, OrtError error) => new(
        error.Code switch
        {
            OrtErrorCode.NotImplemented => ModelLoadReason.Unsupported,
            _ => ModelLoadReason.Corrupt,
        },
        $"model '{modelName}' was refused by ONNX Runtime ({error.Code}): {error.Message}");
}
