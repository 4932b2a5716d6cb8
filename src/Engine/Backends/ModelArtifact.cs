using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Backends;

/// <summary>A file of a model beside its main one.</summary>
/// <param name="Location">Relative to the model's folder, segments joined by <c>/</c>; as the model names it.</param>
/// <param name="Memory">Its bytes; they live as long as the artifact.</param>
public readonly record struct ArtifactFile(string Location, ReadOnlyNativeMemory Memory);

/// <summary>
/// The bytes of a model, each file read once into native memory: what is opened is what was hashed, whatever happens to the
/// files meanwhile. Freed when its owner has disposed it and everybody who holds it has let go.
/// </summary>
public sealed class ModelArtifact : IDisposable
{
    private readonly IDisposable? _memory;
    private int _holders = 1;
    private int _disposed;

    /// <param name="model">The model's file.</param>
    /// <param name="files">The files it names, each location once; none for a model in one file.</param>
    /// <param name="identity">The root over all of them (docs/formats.md, "Model identity").</param>
    /// <param name="memory">Disposed when nobody holds the artifact any more; null when the memory is somebody else's to free.</param>
    public ModelArtifact(ReadOnlyNativeMemory model, IReadOnlyList<ArtifactFile> files, Hash256 identity, IDisposable? memory)
    {
        ArgumentNullException.ThrowIfNull(files);
        (Model, Files, Identity, _memory) = (model, files, identity, memory);
    }

    public ReadOnlyNativeMemory Model { get; }

    public IReadOnlyList<ArtifactFile> Files { get; }

    public Hash256 Identity { get; }

    /// <summary>Bytes of all files.</summary>
    public long Length => Model.Length + Files.Sum(file => file.Memory.Length);

    /// <summary>Keeps the memory until the answer is disposed; for backends that refer to it after opening.</summary>
    /// <exception cref="ObjectDisposedException">Nobody held it any more.</exception>
    public IDisposable Hold()
    {
        for (int seen; (seen = Volatile.Read(ref _holders)) > 0;)
            if (Interlocked.CompareExchange(ref _holders, seen + 1, seen) == seen) return new Holder(this);
        throw new ObjectDisposedException(nameof(ModelArtifact));
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0) LetGo();
    }

    private void LetGo()
    {
        if (Interlocked.Decrement(ref _holders) == 0) _memory?.Dispose();
    }

    private sealed class Holder(ModelArtifact artifact) : IDisposable
    {
        private ModelArtifact? _artifact = artifact;

        public void Dispose() => Interlocked.Exchange(ref _artifact, null)?.LetGo();
    }
}
