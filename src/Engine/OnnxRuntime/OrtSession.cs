using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>
/// An opened ONNX model for whoever keeps tensors across calls, as language models keep their cache. It batches nothing and
/// checks no request: that is the engine's work for models whose rows are independent. Safe for concurrent calls; disposed after
/// its calls.
/// </summary>
public sealed class OrtSession : IDisposable
{
    private readonly OrtModel _model;

    private OrtSession(OrtModel model) => _model = model;

    /// <summary>Declared inputs in the model's order.</summary>
    public IReadOnlyList<TensorSpec> Inputs => _model.Inputs;

    /// <summary>Declared outputs in the model's order.</summary>
    public IReadOnlyList<TensorSpec> Outputs => _model.Outputs;

    /// <summary>Everything besides model and input that can change output bits.</summary>
    public RuntimeFingerprint Fingerprint => _model.Fingerprint;

    /// <summary>Opens a model from its bytes; the artifact may be disposed afterwards.</summary>
    /// <exception cref="ModelLoadException">The bytes are not a model that the library can serve.</exception>
    /// <exception cref="OnnxRuntimeException">The library refused a step of ours.</exception>
    public static OrtSession Open(OnnxRuntimeLibrary library, string modelName, ModelArtifact artifact, ExecutionOptions options) =>
        new((OrtModel)new OnnxRuntimeBackend(library).Open(modelName, artifact, options));

    /// <summary>A call that takes every input and asks for some of the outputs.</summary>
    /// <param name="outputs">Indices into <see cref="Outputs"/>, at least one.</param>
    public OrtCall NewCall(IReadOnlyList<int> outputs) => new(_model, outputs);

    public void Dispose() => _model.Dispose();
}
