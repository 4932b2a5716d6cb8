using System.Buffers.Binary;

namespace OpenGradient.Engine.Benchmarks.Settlement.Durable;

/// <summary>The record that a writer makes durable: who, which, and bytes that follow from both, so that a reader can tell whether it came back whole.</summary>
internal static class Commitment
{
    /// <summary>A leaf hash with its receipt id and what surrounds them. 136: the keccak sponge's rate, so the longest that the chain's side hashes in one permutation.</summary>
    public const int Size = 136;

    public const byte RecordType = 1;

    public static void Fill(Span<byte> record, int writer, long number)
    {
        BinaryPrimitives.WriteInt64LittleEndian(record, writer);
        BinaryPrimitives.WriteInt64LittleEndian(record[8..], number);
        var state = Seed(writer, number);
        for (var at = 16; at < Size; at += 8) BinaryPrimitives.WriteUInt64LittleEndian(record[at..], state = Next(state));
    }

    /// <summary>Null when the bytes are not what <see cref="Fill"/> writes.</summary>
    public static (int Writer, long Number)? Read(ReadOnlySpan<byte> record)
    {
        if (record.Length != Size) return null;
        Span<byte> expected = stackalloc byte[Size];
        var (writer, number) = ((int)BinaryPrimitives.ReadInt64LittleEndian(record), BinaryPrimitives.ReadInt64LittleEndian(record[8..]));
        Fill(expected, writer, number);
        return record.SequenceEqual(expected) ? (writer, number) : null;
    }

    private static ulong Seed(int writer, long number) => ((ulong)writer << 48) ^ (ulong)number ^ 0x9E3779B97F4A7C15;

    // xorshift64: cheap, and no two records alike.
    private static ulong Next(ulong state)
    {
        state ^= state << 13;
        state ^= state >> 7;
        return state ^ (state << 17);
    }
}
