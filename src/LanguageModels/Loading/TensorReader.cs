using System.Runtime.InteropServices;
using System.Security.Cryptography;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>
/// Reads one tensor at a time into memory of its own and hashes it there. What is hashed is what is packed: the bytes are
/// not read from the file again, and a file that changes or shrinks meanwhile cannot come between (docs/adr/0018).
/// </summary>
internal sealed unsafe class TensorReader : IDisposable
{
    // Packing reads whole vectors of the widest registers.
    private const int Alignment = 64;

    private readonly int _threads;
    private readonly long _capacity;
    private byte* _memory;

    /// <param name="largest">Bytes of the largest tensor.</param>
    /// <param name="threads">Threads that read and hash 4 MiB chunks side by side.</param>
    public TensorReader(long largest, int threads)
    {
        _capacity = largest;
        _threads = threads;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)Math.Max(largest, 1), Alignment);
    }

    /// <summary>The tensor that was read last.</summary>
    public byte* Memory => _memory;

    /// <summary>Reads a tensor over the one before and gives the root over its chunks.</summary>
    /// <exception cref="LanguageModelLoadException">The file was shortened, or cannot be read.</exception>
    public Hash256 Read(StoredTensor stored, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(stored.Tensor.Length, _capacity);
        var leaves = new Hash256[(stored.Tensor.Length + ModelIdentity.ChunkSize - 1) / ModelIdentity.ChunkSize];
        if (leaves.Length == 1 || _threads == 1)
            for (var i = 0; i < leaves.Length; i++) leaves[i] = ReadChunk(stored, i);
        else
            ReadSideBySide(stored, leaves, cancellation);
        return MerkleTree.Root(leaves);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
    }

    private void ReadSideBySide(StoredTensor stored, Hash256[] leaves, CancellationToken cancellation)
    {
        try
        {
            Parallel.For(0, leaves.Length, new ParallelOptions { MaxDegreeOfParallelism = _threads, CancellationToken = cancellation }, i => leaves[i] = ReadChunk(stored, i));
        }
        catch (AggregateException errors) when (errors.InnerExceptions.OfType<LanguageModelLoadException>().FirstOrDefault() is { } first)
        {
            throw new LanguageModelLoadException(first.Message, first);
        }
    }

    private Hash256 ReadChunk(StoredTensor stored, int index)
    {
        var start = (long)index * ModelIdentity.ChunkSize;
        var chunk = new Span<byte>(_memory + start, (int)Math.Min(ModelIdentity.ChunkSize, stored.Tensor.Length - start));
        stored.File.Read(stored.Tensor, start, chunk);
        return MerkleTree.LeafHash(chunk);
    }
}
