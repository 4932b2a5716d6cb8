using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OpenGradient.Engine;

/// <summary>
/// A caller's tensor bytes where they lie: an array of any element type, or memory of bytes. Lent until the request completes;
/// the gather into the batch is the only copy.
/// </summary>
internal readonly struct TensorSource
{
    private readonly Array? _array;
    private readonly nint _offset;
    private readonly int _length;
    private readonly ReadOnlyMemory<byte> _memory;

    private TensorSource(Array array, nint offset, int length)
    {
        _array = array;
        _offset = offset;
        _length = length;
    }

    private TensorSource(ReadOnlyMemory<byte> memory)
    {
        _memory = memory;
        _length = memory.Length;
    }

    public int Length => _length;

    public ReadOnlySpan<byte> Bytes => _array is null
        ? _memory.Span
        : MemoryMarshal.CreateReadOnlySpan(ref Unsafe.AddByteOffset(ref MemoryMarshal.GetArrayDataReference(_array), _offset), _length);

    public static TensorSource Of<T>(ReadOnlyMemory<T> data) where T : unmanaged
    {
        var size = Unsafe.SizeOf<T>();
        if (MemoryMarshal.TryGetArray(data, out var segment) && segment.Array is { } array)
            return new TensorSource(array, (nint)segment.Offset * size, checked(segment.Count * size));
        return new TensorSource(typeof(T) == typeof(byte)
            ? Unsafe.BitCast<ReadOnlyMemory<T>, ReadOnlyMemory<byte>>(data)
            : new ByteView<T>(data).Memory);
    }

    /// <summary>Bytes of memory that no array backs; the only source that costs an allocation.</summary>
    private sealed class ByteView<T>(ReadOnlyMemory<T> data) : MemoryManager<byte> where T : unmanaged
    {
        public override Span<byte> GetSpan() => MemoryMarshal.AsBytes(MemoryMarshal.AsMemory(data).Span);

        public override unsafe MemoryHandle Pin(int elementIndex = 0)
        {
            var handle = data.Pin();
            return new MemoryHandle((byte*)handle.Pointer + elementIndex, default, handle.Pointer is null ? null : new Unpinner(handle));
        }

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }

        private sealed class Unpinner(MemoryHandle handle) : IPinnable
        {
            public MemoryHandle Pin(int elementIndex) => default;

            public void Unpin() => handle.Dispose();
        }
    }
}
