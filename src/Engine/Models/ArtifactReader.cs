using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Models;

/// <summary>
/// Reads a model's files, the main one and those it names, each once: hashed while they stream into native memory. Safe for
/// concurrent calls.
/// </summary>
public sealed class ArtifactReader(IModelBackend backend)
{
    // A protobuf message, and so an ONNX file, cannot be larger.
    private const long MaxModelSize = int.MaxValue;

    // One file per tensor is the most that exporters write; the largest have some thousand tensors.
    private const int MaxFiles = 4096;

    /// <summary>Reads and identifies; the answer is the caller's to dispose.</summary>
    /// <exception cref="ModelLoadException">A file is missing, unreadable, not regular, outside of the model's folder, or all of them are too large.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing stays in memory.</exception>
    public ModelArtifact Read(ModelOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var memory = new NativeBlocks();
        try
        {
            return Read(options, memory, cancellationToken);
        }
        catch
        {
            memory.Dispose();
            throw;
        }
    }

    private ModelArtifact Read(ModelOptions options, NativeBlocks memory, CancellationToken cancellationToken)
    {
        var (model, root) = ReadModel(options, memory, cancellationToken);
        var locations = backend.FilesNamedBy(options.Name, model);
        if (locations.Count == 0) return new ModelArtifact(model, [], root, memory);
        if (locations.Count > MaxFiles)
            throw new ModelLoadException(ModelLoadReason.ExternalData, $"model '{options.Name}' keeps weights in {locations.Count} other files, more than {MaxFiles}");

        // The model's own file has the empty name: like that of a model in one file, its identity does not depend on what the file is called.
        var roots = new List<(string Name, Hash256 Root)> { ("", root) };
        var files = new List<ArtifactFile>();
        var folder = FolderOf(options);
        var left = options.MaxArtifactBytes - model.Length;
        foreach (var location in locations)
        {
            var (file, fileRoot) = ReadExternal(options, folder, location, left, memory, cancellationToken);
            files.Add(new ArtifactFile(location, file));
            roots.Add((location, fileRoot));
            left -= file.Length;
        }

        return new ModelArtifact(model, files, ModelIdentity.OfFiles(roots), memory);
    }

    private static (ReadOnlyNativeMemory Memory, Hash256 Root) ReadModel(ModelOptions options, NativeBlocks memory, CancellationToken cancellationToken)
    {
        try
        {
            using var file = ModelFile.OpenRegular(options.Path, within: null);
            var length = RandomAccess.GetLength(file);
            if (length == 0) throw new ModelLoadException(ModelLoadReason.Empty, $"the file of model '{options.Name}' ('{options.Path}') is empty");
            var most = Math.Min(MaxModelSize, options.MaxArtifactBytes);
            if (length > most) throw new ModelLoadException(ModelLoadReason.Unsupported, $"the file of model '{options.Name}' is {length} bytes, more than {most}");
            return Stream(file, length, memory, cancellationToken);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ModelLoadException(ModelLoadReason.Unreadable, $"the file of model '{options.Name}' ('{options.Path}') cannot be read: {error.Message}", error);
        }
    }

    private static string FolderOf(ModelOptions options)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(options.Path))!;
        try
        {
            return ModelFile.TruePath(folder);
        }
        catch (IOException error)
        {
            throw new ModelLoadException(ModelLoadReason.Unreadable, $"the folder of model '{options.Name}' ('{folder}') cannot be read: {error.Message}", error);
        }
    }

    private static (ReadOnlyNativeMemory Memory, Hash256 Root) ReadExternal(
        ModelOptions options, string folder, string location, long left, NativeBlocks memory, CancellationToken cancellationToken)
    {
        try
        {
            using var file = ModelFile.OpenRegular(Path.Combine(folder, location), folder);
            var length = RandomAccess.GetLength(file);
            if (length > left) throw new IOException($"with it, the model is larger than {options.MaxArtifactBytes} bytes ({nameof(ModelOptions.MaxArtifactBytes)})");
            return Stream(file, length, memory, cancellationToken);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ModelLoadException(ModelLoadReason.ExternalData, $"model '{options.Name}' keeps weights in '{location}', which cannot be used: {error.Message}", error);
        }
    }

    private static unsafe (ReadOnlyNativeMemory Memory, Hash256 Root) Stream(SafeFileHandle file, long length, NativeBlocks memory, CancellationToken cancellationToken)
    {
        using var identity = new ModelIdentity();
        var bytes = memory.Allocate(length);
        for (long offset = 0; offset < length;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var chunk = new Span<byte>(bytes + offset, (int)Math.Min(ModelIdentity.ChunkSize, length - offset));
            var read = RandomAccess.Read(file, chunk, offset);
            if (read == 0) throw new IOException("it shrank while it was read");
            identity.Append(chunk[..read]);
            offset += read;
        }

        return (new ReadOnlyNativeMemory(bytes, length), identity.Finish());
    }

    /// <summary>Aligned like tensors, because initializers may be used where they lie; not zeroed, because every byte is read into.</summary>
    private sealed unsafe class NativeBlocks : IDisposable
    {
        private readonly List<nint> _blocks = [];

        public byte* Allocate(long bytes)
        {
            var block = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, 1), NativeBuffer.Alignment);
            _blocks.Add((nint)block);
            return block;
        }

        public void Dispose()
        {
            foreach (var block in _blocks) NativeMemory.AlignedFree((void*)block);
            _blocks.Clear();
        }
    }
}
