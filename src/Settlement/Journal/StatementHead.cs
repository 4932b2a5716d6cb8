using System.Buffers.Binary;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Journal;

/// <summary>What indexing needs of a statement, read where it lies. Everything else is the verifier's to check.</summary>
internal readonly record struct StatementHead(Hash256 Epoch, ulong Sequence, int Receipts, ulong HostTime)
{
    /// <exception cref="FormatException">Not laid out as a statement (docs/formats.md, "Batch statement").</exception>
    public static StatementHead Read(ReadOnlySpan<byte> bytes)
    {
        const int bodyAt = Statement.HeaderSize + Statement.SignatureSize;
        if (bytes.Length is <= bodyAt or > Statement.MaxSize || !bytes.StartsWith(Statement.Tag)) throw new FormatException("statement: unknown tag, version or size");
        var reader = new CborReader(bytes[bodyAt..]);
        if (reader.Map() is not (5 or 6)) throw new FormatException("statement: five or six keys expected");
        reader.Key(1);
        reader.Bytes();
        reader.Key(2);
        reader.Hash();
        reader.Key(3);
        var receipts = reader.UInt();
        if (receipts is 0 or > Statement.MaxReceipts) throw new FormatException("statement: number of receipts out of range");
        reader.Key(4);
        reader.UInt();
        reader.Key(5);
        return new(new Hash256(bytes[48..80]), BinaryPrimitives.ReadUInt64BigEndian(bytes[80..]), (int)receipts, reader.UInt());
    }
}
