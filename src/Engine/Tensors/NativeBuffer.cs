using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Tensors;

/// <summary>
/// Native memory, 64-byte aligned: with 4 or 8 bytes of offset the vector kernels take other paths and produce other bits.
/// Owned by one thread at a time.
/// </summary>
public sealed unsafe class NativeBuffer : IDisposable
{
    public const int Alignment = 64;

    /// <summary>Null until <see cref="Reserve"/>; moves when it grows.</summary>
    public byte* Pointer { get; private set; }

    public long Capacity { get; private set; }

    /// <summary>Makes room for <paramref name="bytes"/>; contents are lost and <see cref="Pointer"/> moves when it has to grow.</summary>
    public void Reserve(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (bytes <= Capacity && Pointer is not null) return;
        var size = Math.Max(Alignment, (checked(bytes + Alignment - 1)) / Alignment * Alignment);
        var fresh = (byte*)NativeMemory.AlignedAlloc((nuint)size, Alignment);
        // Padding bytes and rows never written reach the backend as zeros, never as somebody's old data.
        NativeMemory.Clear(fresh, (nuint)size);
        NativeMemory.AlignedFree(Pointer);
        Pointer = fresh;
        Capacity = size;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
        Capacity = 0;
        GC.SuppressFinalize(this);
    }

    ~NativeBuffer() => NativeMemory.AlignedFree(Pointer);
}
