using System.Text.Unicode;

namespace OpenGradient.Engine.Formats;

/// <summary>One tensor of a set, as its header states it.</summary>
/// <param name="ElementType">ONNX's TensorProto.DataType.</param>
/// <param name="Data">Little-endian elements.</param>
public sealed record TensorPart(string Name, byte ElementType, ReadOnlyMemory<long> Dimensions, ReadOnlyMemory<byte> Data);

/// <summary>
/// A request's or an answer's tensors as bytes: the very bytes whose SHA-256 is the tensor-set digest (docs/formats.md), so
/// that a set kept for an audit proves itself.
/// </summary>
public static unsafe class TensorSetBytes
{
    private const int HeadSize = 16 + 4;

    // A tensor of rank 255 is none of ONNX's; what is read comes from files.
    private const int MaxRank = 32;

    /// <summary>Bytes that <see cref="Write"/> takes.</summary>
    public static long SizeOf(TensorView* tensors, uint count)
    {
        long size = HeadSize;
        for (var i = 0; i < count; i++) size = checked(size + (long)tensors[i].HeaderLength + (long)tensors[i].DataLength);
        return size;
    }

    /// <summary>Lays out tensors that are ordered by the bytes of their names.</summary>
    /// <param name="destination">At least <see cref="SizeOf"/> bytes.</param>
    public static void Write(TensorView* tensors, uint count, byte* destination)
    {
        var head = new Span<byte>(destination, HeadSize);
        head.Clear();
        "OGE tensors v1"u8.CopyTo(head);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(head[16..], count);
        destination += HeadSize;
        for (var i = 0; i < count; i++)
        {
            Buffer.MemoryCopy(tensors[i].Header, destination, tensors[i].HeaderLength, tensors[i].HeaderLength);
            destination += tensors[i].HeaderLength;
            Buffer.MemoryCopy(tensors[i].Data, destination, tensors[i].DataLength, tensors[i].DataLength);
            destination += tensors[i].DataLength;
        }
    }

    /// <summary>The bytes of tensors given in any order.</summary>
    /// <exception cref="ArgumentException">A name occurs twice.</exception>
    public static byte[] Of(IEnumerable<(string Name, byte[] Header, ReadOnlyMemory<byte> Data)> tensors)
    {
        var ordered = Names.Ordered(tensors, tensor => Names.ToUtf8(tensor.Name));
        var writer = new ByteWriter().Tag("OGE tensors v1"u8).U32((uint)ordered.Length);
        foreach (var (_, header, data) in ordered) writer.Bytes(header).Bytes(data.Span);
        return writer.ToArray();
    }

    /// <summary>The tensors, their data a view of the bytes.</summary>
    /// <exception cref="FormatException">Not a tensor set's canonical bytes; the message names what was wrong.</exception>
    public static IReadOnlyList<TensorPart> Decode(ReadOnlyMemory<byte> bytes)
    {
        var reader = new ByteReader(bytes.Span, "tensors");
        reader.Tag("OGE tensors v1"u8);
        var parts = new List<TensorPart>();
        ReadOnlySpan<byte> last = default;
        for (var left = reader.U32(); left > 0; left--)
        {
            var name = reader.Take(reader.U16());
            if (!Utf8.IsValid(name)) throw new FormatException("tensors: a name is not UTF-8");
            if (parts.Count > 0 && last.SequenceCompareTo(name) >= 0) throw new FormatException("tensors: names are not in increasing order");
            last = name;
            var type = reader.U8();
            var rank = reader.U8();
            if (rank > MaxRank) throw new FormatException($"tensors: a rank of {rank}");
            var dimensions = new long[rank];
            for (var i = 0; i < rank; i++)
                dimensions[i] = reader.U64() is var dimension and <= long.MaxValue ? (long)dimension : throw new FormatException("tensors: a dimension out of range");
            var length = reader.U64();
            if (length > (ulong)reader.Remaining) throw new FormatException("tensors: truncated");
            var start = bytes.Length - reader.Remaining;
            reader.Take((uint)length);
            parts.Add(new TensorPart(System.Text.Encoding.UTF8.GetString(name), type, dimensions, bytes.Slice(start, (int)length)));
        }

        reader.End();
        return parts;
    }
}
