using System.Buffers.Binary;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>
/// What an id leads to: 24 bytes, big-endian: the id's first 16 bytes, then one bit for statements, 47 bits the
/// statement's number (its leaf), 16 bits which of its known rows. Ids are digests: 16 bytes tell them apart, and
/// whoever follows a key compares the whole id.
/// </summary>
internal readonly record struct ArchiveKey(ulong High, ulong Low, ulong Value) : IComparable<ArchiveKey>
{
    public const int Size = 24;

    private const ulong StatementBit = 1UL << 63;

    public ulong Number => (Value & ~StatementBit) >> 16;

    public int Row => (ushort)Value;

    public bool IsStatement => (Value & StatementBit) != 0;

    public static ArchiveKey Of(in Hash256 statement, ulong number) => Read(statement.Bytes, StatementBit | (number << 16));

    public static ArchiveKey Of(in ReceiptId receipt, ulong number, int row) => Read(receipt.Bytes, (number << 16) | (ushort)row);

    public static ArchiveKey Decode(ReadOnlySpan<byte> bytes) => Read(bytes, BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]));

    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Low);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[16..], Value);
    }

    /// <summary>By id alone.</summary>
    public int CompareTo(ArchiveKey other) => High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);

    private static ArchiveKey Read(ReadOnlySpan<byte> id, ulong value) => new(BinaryPrimitives.ReadUInt64BigEndian(id), BinaryPrimitives.ReadUInt64BigEndian(id[8..]), value);
}
