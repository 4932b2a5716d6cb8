using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Gguf;

/// <summary>Random weights in ggml's formats, of about a given spread. What they are changes no speed; that they are finite and small keeps activations sane.</summary>
internal static class GgufBlocks
{
    private const int Block = 32;
    private const int Q4Bytes = 2 + (Block / 2), Q8Bytes = 2 + Block;

    public static long Bytes(GgmlType type, long[] dimensions)
    {
        var elements = dimensions.Aggregate(1L, (product, dimension) => product * dimension);
        return type switch
        {
            GgmlType.F32 => elements * 4,
            GgmlType.Bf16 => elements * 2,
            GgmlType.Q8 => elements / Block * Q8Bytes,
            _ => elements / Block * Q4Bytes,
        };
    }

    public static void Write(Stream stream, GgmlType type, long elements, double spread, Random random)
    {
        // A whole number of blocks of every type.
        const int Piece = 32 * 4096;
        var buffer = new byte[Piece * 4];
        for (long at = 0; at < elements; at += Piece)
        {
            var count = (int)Math.Min(Piece, elements - at);
            stream.Write(buffer.AsSpan(0, Fill(buffer, type, count, spread, random)));
        }
    }

    public static void WriteOnes(Stream stream, long elements)
    {
        for (long i = 0; i < elements; i++) stream.Write([0, 0, 0x80, 0x3f]);
    }

    private static int Fill(byte[] buffer, GgmlType type, int count, double spread, Random random)
    {
        var bytes = (int)Bytes(type, [count]);
        random.NextBytes(buffer.AsSpan(0, bytes));
        switch (type)
        {
            // Uniform over the format's values; a uniform distribution of width w spreads by w / sqrt(12).
            case GgmlType.Q4: Scales(buffer, bytes, Q4Bytes, spread / (16 / Math.Sqrt(12))); break;
            case GgmlType.Q8: Scales(buffer, bytes, Q8Bytes, spread / (256 / Math.Sqrt(12))); break;
            case GgmlType.Bf16: Uniform(MemoryMarshal.Cast<byte, ushort>(buffer.AsSpan(0, bytes)), spread * Math.Sqrt(12)); break;
            case GgmlType.F32: Uniform(MemoryMarshal.Cast<byte, uint>(buffer.AsSpan(0, bytes)), spread * Math.Sqrt(12)); break;
        }

        return bytes;
    }

    private static void Scales(byte[] buffer, int bytes, int block, double scale)
    {
        for (var at = 0; at < bytes; at += block) BinaryPrimitives.WriteHalfLittleEndian(buffer.AsSpan(at), (Half)scale);
    }

    private static void Uniform(Span<ushort> values, double width)
    {
        foreach (ref var value in values) value = (ushort)(BitConverter.SingleToUInt32Bits((float)(((value / 65536.0) - 0.5) * width)) >> 16);
    }

    private static void Uniform(Span<uint> values, double width)
    {
        foreach (ref var value in values) value = BitConverter.SingleToUInt32Bits((float)(((value / 4294967296.0) - 0.5) * width));
    }
}
