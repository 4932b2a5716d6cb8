using System.Runtime.CompilerServices;

namespace OpenGradient.Engine.Formats;

/// <summary>
/// What sealing gave: the signed statement, the rows' preimages and the whole tree over them. Immutable, shared by every
/// caller of the batch; receipts are cut out of it when somebody asks.
/// </summary>
public sealed class SealedBatch
{
    private readonly byte[] _leaves;
    private readonly byte[] _tree;

    // Boxed, so that a caller on another thread sees the whole hash or none of it.
    private StrongBox<Hash256>? _id;

    /// <param name="statement">The encoded statement.</param>
    /// <param name="leaves">Preimages, <see cref="RowLeaf.Size"/> bytes each.</param>
    /// <param name="tree">Hashes of 32 bytes, level by level from the leaves to the root; a level of odd length passes its last hash up unchanged.</param>
    public SealedBatch(byte[] statement, byte[] leaves, byte[] tree)
    {
        Count = leaves.Length / RowLeaf.Size;
        if (Count == 0 || leaves.Length % RowLeaf.Size != 0) throw new ArgumentException("leaves are a positive number of preimages", nameof(leaves));
        if (tree.Length != RowTree.NodeCount(Count) * Hash256.Size) throw new ArgumentException("the tree does not fit the leaves", nameof(tree));
        Statement = statement;
        _leaves = leaves;
        _tree = tree;
    }

    /// <summary>header ‖ signature ‖ body.</summary>
    public ReadOnlyMemory<byte> Statement { get; }

    /// <summary>Number of receipts in the batch.</summary>
    public int Count { get; }

    /// <summary>The statement's leaf hash in the log: what names a statement everywhere behind the fast path.</summary>
    public Hash256 StatementId => (_id ??= new StrongBox<Hash256>(MerkleTree.LeafHash(Statement.Span))).Value;

    public ReadOnlySpan<byte> LeafPreimage(int row) => _leaves.AsSpan(row * RowLeaf.Size, RowLeaf.Size);

    public Hash256 LeafHash(int row) => new(_tree.AsSpan(row * Hash256.Size, Hash256.Size));

    public ReceiptId ReceiptId(int row) => Formats.ReceiptId.Of(LeafPreimage(row));

    public Receipt Receipt(int row) =>
        new(Statement, (uint)row, LeafPreimage(row).ToArray(), RowTree.Path(_tree, Count, row));
}
