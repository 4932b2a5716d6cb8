using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Backends;

/// <summary>Opens models. Safe for concurrent calls.</summary>
public interface IModelBackend
{
    /// <summary>The other files that a model's bytes name, relative to its folder, each once. None for formats of one file.</summary>
    /// <exception cref="ModelLoadException">The bytes are not a model, or name files that it may not have.</exception>
    IReadOnlyList<string> FilesNamedBy(string modelName, ReadOnlyNativeMemory model) => [];

    /// <summary>Opens a model from its bytes. They are borrowed for the duration of the call; a backend that refers to them afterwards holds the artifact.</summary>
    /// <exception cref="ModelLoadException">The bytes are not a model that this backend can serve; the reason says which way.</exception>
    IBackendModel Open(string modelName, ModelArtifact artifact, ExecutionOptions options);
}

/// <summary>An opened model, shared by all of its executors. Disposed after them.</summary>
public interface IBackendModel : IDisposable
{
    /// <summary>Declared inputs in the model's order; at least one.</summary>
    IReadOnlyList<TensorSpec> Inputs { get; }

    /// <summary>Declared outputs in the model's order; at least one.</summary>
    IReadOnlyList<TensorSpec> Outputs { get; }

    /// <summary>Everything besides model and input that can change output bits.</summary>
    RuntimeFingerprint Fingerprint { get; }

    /// <summary>An executor for one worker. Executors of one model may run at the same time.</summary>
    IBackendExecutor CreateExecutor();
}

/// <summary>Runs batches of one model. Used by one thread at a time, except <see cref="Terminate"/>.</summary>
public interface IBackendExecutor : IDisposable
{
    /// <summary>
    /// Executes over the input buffers and shapes, and leaves data, shapes and sizes of the outputs in
    /// <paramref name="buffers"/>; they stay valid until the next call. Null for success.
    /// </summary>
    BackendFault? Execute(ExecutionBuffers buffers);

    /// <summary>Asks a running call to stop. Safe from any thread; holds until <see cref="ClearTermination"/>.</summary>
    void Terminate();

    /// <summary>Takes a termination back before the next call.</summary>
    void ClearTermination();
}

/// <summary>Why a backend call gave no outputs.</summary>
/// <param name="Code">The backend's own code in words, fit for remote callers.</param>
/// <param name="Detail">The backend's own text, for the operator only: it can name files and source lines.</param>
public sealed record BackendFault(string Code, string Detail)
{
    /// <summary>Default: of this call alone.</summary>
    public BackendFaultKind Kind { get; init; }
}

/// <summary>Bytes in native memory, borrowed.</summary>
public readonly unsafe struct ReadOnlyNativeMemory(byte* pointer, long length)
{
    public byte* Pointer { get; } = pointer;

    public long Length { get; } = length;
}
