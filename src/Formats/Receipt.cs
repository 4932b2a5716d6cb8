namespace OpenGradient.Engine.Formats;

/// <summary>What a caller gets for one inference: immutable (docs/formats.md, "Receipt").</summary>
/// <param name="Statement">The encoded statement.</param>
/// <param name="Row">Index of the row leaf in the batch's tree.</param>
/// <param name="Leaf">The row leaf's preimage, 118 bytes.</param>
/// <param name="Path">Siblings from the leaf to the rows root.</param>
public sealed record Receipt(ReadOnlyMemory<byte> Statement, uint Row, ReadOnlyMemory<byte> Leaf, Hash256[] Path)
{
    /// <summary>No receipt is longer: a statement at its cap and a path over 65,536 leaves.</summary>
    public const int MaxSize = 16 + 4 + Formats.Statement.MaxSize + 4 + RowLeaf.Size + 1 + (16 * Hash256.Size);

    public ReceiptId Id => ReceiptId.Of(Leaf.Span);

    public Hash256 LeafHash => RowLeaf.HashOf(Leaf.Span);

    public Hash256 StatementId => MerkleTree.LeafHash(Statement.Span);

    public byte[] Encode() => new ByteWriter()
        .Tag("OGE receipt v1"u8)
        .U32((uint)Statement.Length).Bytes(Statement.Span)
        .U32(Row)
        .Fixed(Leaf.Span, RowLeaf.Size, "a row leaf")
        .Path(Path)
        .ToArray();

    /// <exception cref="FormatException">Not a receipt's canonical bytes; the message names what was wrong.</exception>
    public static Receipt Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxSize) throw new FormatException($"receipt: more than {MaxSize} bytes");
        var reader = new ByteReader(bytes, "receipt");
        reader.Tag("OGE receipt v1"u8);
        var statement = reader.Take(reader.U32()).ToArray();
        var row = reader.U32();
        var leaf = reader.Take(RowLeaf.Size).ToArray();
        var path = reader.Path();
        reader.End();
        return new Receipt(statement, row, leaf, path);
    }
}
