using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Models;
using OpenGradient.Engine.OnnxRuntime;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Hosting.Backends;

/// <summary>
/// Every backend of this build behind one: each model goes to the one that its format asks for. libtorch is loaded with the
/// first TorchScript model, since it takes a second and 180 MB. Safe for concurrent calls.
/// </summary>
/// <param name="onnxRuntime">ONNX Runtime's library, loaded.</param>
/// <param name="torch">Opens TorchScript; asked once, at the first such model.</param>
public sealed class ModelBackends(OnnxRuntimeLibrary onnxRuntime, Func<IModelBackend> torch) : IModelBackend
{
    private readonly OnnxRuntimeBackend _onnx = new(onnxRuntime);
    // A library that was missing may be there at the next load: failures are not kept.
    private readonly Lazy<IModelBackend> _torch = new(torch, LazyThreadSafetyMode.PublicationOnly);

    /// <summary>As a configuration has them.</summary>
    /// <param name="onnxRuntime">ONNX Runtime's library, loaded.</param>
    public static ModelBackends Of(OnnxRuntimeLibrary onnxRuntime, TorchConfiguration torch) =>
        new(onnxRuntime, () => TorchRuntimes.Open(torch));

    public IReadOnlyList<string> FilesNamedBy(string modelName, ReadOnlyNativeMemory model) =>
        ModelFormats.Of(model) == ModelFormat.TorchScript ? [] : _onnx.FilesNamedBy(modelName, model);

    public IBackendModel Open(string modelName, ModelArtifact artifact, ExecutionOptions options)
    {
        ArgumentNullException.ThrowIfNull(artifact);
        return (ModelFormats.Of(artifact.Model) == ModelFormat.TorchScript ? Torch(modelName) : _onnx).Open(modelName, artifact, options);
    }

    /// <summary>How a configured model executes: its own figures, and those of the backend that its file's format asks for.</summary>
    /// <param name="path">The model's file.</param>
    /// <exception cref="ConfigurationException">The model names a backend that does not execute the file.</exception>
    internal static (ExecutionOptions Execution, int Workers) ExecutionOf(ModelConfiguration model, string path, OnnxRuntimeConfiguration onnxRuntime, TorchConfiguration torch)
    {
        var isTorch = ModelFormats.OfFile(path) == ModelFormat.TorchScript;
        if (model.Backend is { } asked && File.Exists(path) && isTorch != (asked == "torch"))
            throw new ConfigurationException([$"model '{model.Path}': backend is {asked}, and '{path}' is {(isTorch ? "TorchScript" : "no TorchScript archive")}"]);
        var common = new ExecutionOptions { IntraOpThreads = model.IntraOpThreads };
        return isTorch
            ? (common with { Device = DeviceOf(torch.Provider), DeviceId = torch.DeviceId, AllowCpuFallback = torch.AllowCpuFallback }, torch.Workers)
            : (common with { Device = DeviceOf(onnxRuntime.Provider), AllowCpuFallback = onnxRuntime.AllowCpuFallback }, onnxRuntime.Workers);
    }

    private static ExecutionDevice DeviceOf(string provider) => provider == "cuda" ? ExecutionDevice.Cuda : ExecutionDevice.Cpu;

    private IModelBackend Torch(string modelName)
    {
        try
        {
            return _torch.Value;
        }
        catch (Exception missing) when (missing is TorchException or PlatformNotSupportedException)
        {
            throw new ModelLoadException(ModelLoadReason.Unsupported, $"model '{modelName}' is TorchScript, and libtorch cannot be used: {missing.Message}", missing);
        }
    }
}
