using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>Opens ONNX models in a loaded ONNX Runtime. Safe for concurrent calls.</summary>
public sealed unsafe class OnnxRuntimeBackend(OnnxRuntimeLibrary library) : IModelBackend
{
    public OnnxRuntimeLibrary Library => library;

    public IReadOnlyList<string> FilesNamedBy(string modelName, ReadOnlyNativeMemory model) =>
        Explain(modelName, () => OnnxExternalData.Locations(Span(model)));

    public IBackendModel Open(string modelName, ModelArtifact artifact, ExecutionOptions options)
    {
        ArgumentNullException.ThrowIfNull(artifact);
        ArgumentNullException.ThrowIfNull(options);
        if (artifact.Model.Length == 0) throw new ModelLoadException(ModelLoadReason.Empty, $"the file of model '{modelName}' is empty");
        using var sessionOptions = OrtSessionOptions.Create(library.Api, options.IntraOpThreads);
        var device = SelectDevice(modelName, options, sessionOptions);
        OrtExternalFiles.Add(library.Api, sessionOptions, artifact.Files);
        var session = CreateSession(modelName, artifact, sessionOptions);
        var held = artifact.Files.Count > 0 && !OrtExternalFiles.AreCopied(library.Info.Version) ? artifact.Hold() : null;
        try
        {
            return new OrtModel(library, session, held, modelName, Fingerprint(device, options));
        }
        catch
        {
            session.Dispose();
            held?.Dispose();
            throw;
        }
    }

    private OrtHandle CreateSession(string modelName, ModelArtifact artifact, OrtHandle sessionOptions)
    {
        // The only file is opened where it lies; with others, what goes to the library refers to no disk.
        if (artifact.Files.Count == 0) return CreateSession(modelName, Span(artifact.Model), sessionOptions);
        return CreateSession(modelName, Explain(modelName, () => new OnnxRewriter(artifact.Files).Rewrite(Span(artifact.Model))), sessionOptions);
    }

    private OrtHandle CreateSession(string modelName, ReadOnlySpan<byte> model, OrtHandle sessionOptions)
    {
        nint session;
        nint status;
        fixed (byte* bytes = model)
            status = library.Api.CreateSessionFromArray(library.Environment, bytes, (nuint)model.Length, sessionOptions.Value, &session);
        return OrtStatus.Take(library.Api, status) is { } error ? throw Refused(modelName, error) : new OrtHandle(session, library.Api.ReleaseSession);
    }

    private static T Explain<T>(string modelName, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (OnnxFileException error)
        {
            throw new ModelLoadException(error.Reason, $"model '{modelName}': {error.Message}", error);
        }
    }

    private static ReadOnlySpan<byte> Span(ReadOnlyNativeMemory memory) => new(memory.Pointer, checked((int)memory.Length));

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
        OrtSessionOptions.Describe(device, options.IntraOpThreads, fellBack: device != options.Device));

    private static ModelLoadException Refused(string modelName, OrtError error) => new(
        error.Code switch
        {
            OrtErrorCode.NotImplemented => ModelLoadReason.Unsupported,
            _ => ModelLoadReason.Corrupt,
        },
        $"model '{modelName}' was refused by ONNX Runtime ({error.Code}): {error.Message}");
}
