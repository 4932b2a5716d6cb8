using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Verification.Replay;

/// <summary>A model's file for replays: its identity, and the opened model. The bytes that are hashed are the bytes that are opened.</summary>
internal static class ReplayModelFile
{
    /// <summary>Identity of a file, without keeping its bytes.</summary>
    /// <exception cref="ModelLoadException">The file cannot be read.</exception>
    public static Hash256 IdentityOf(string path)
    {
        using var identity = new ModelIdentity();
        var chunk = new byte[ModelIdentity.ChunkSize];
        Read(path, file =>
        {
            for (int read; (read = file.ReadAtLeast(chunk, chunk.Length, throwOnEndOfStream: false)) > 0;) identity.Append(chunk.AsSpan(0, read));
        });
        return identity.Finish();
    }

    /// <summary>Opens a file.</summary>
    /// <exception cref="ModelLoadException">The file cannot be read, or the backend refuses it.</exception>
    public static unsafe (IBackendModel Model, Hash256 Identity) Open(IModelBackend backend, string name, string path, ExecutionOptions options)
    {
        using var bytes = new NativeBuffer();
        using var identity = new ModelIdentity();
        long length = 0;
        Read(path, file =>
        {
            length = file.Length;
            bytes.Reserve(length);
            for (long at = 0; at < length;)
            {
                var chunk = new Span<byte>(bytes.Pointer + at, (int)Math.Min(ModelIdentity.ChunkSize, length - at));
                file.ReadExactly(chunk);
                identity.Append(chunk);
                at += chunk.Length;
            }
        });
        return (backend.Open(name, new ReadOnlyNativeMemory(bytes.Pointer, length), options), identity.Finish());
    }

    private static void Read(string path, Action<FileStream> read)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            read(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ModelLoadException(ModelLoadReason.Unreadable, $"the model file '{path}' cannot be read: {error.Message}", error);
        }
    }
}
