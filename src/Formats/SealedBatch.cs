using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Formats;

/// <summary>
/// What sealing gave: the signed statement, the rows' preimages and the whole tree over them. Immutable, shared by every
/// caller of the batch; receipts are cut out of it when somebody asks.
/// </summary>
public sealed class SealedBatch
{
    private readonly byte[] _leaves;
    private readonly byte[] _tree;

    // Both are computed by the first who asks, if the sealer did not; threads that race compute the same.
    private StrongBox<Hash256>? _id; // boxed, so that a caller on another thread sees the whole hash or none of it
    private byte[]? _receiptIds;

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

    /// <summary>From a sealer that computed the names as well; they are taken on its word.</summary>
    /// <param name="statement">The encoded statement.</param>
    /// <param name="leaves">Preimages, <see cref="RowLeaf.Size"/> bytes each.</param>
    /// <param name="tree">Hashes of 32 bytes, level by level from the leaves to the root.</param>
    /// <param name="statementId">The statement's leaf hash.</param>
    /// <param name="receiptIds">Receipt ids, <see cref="Formats.ReceiptId.Size"/> bytes each.</param>
    public SealedBatch(byte[] statement, byte[] leaves, byte[] tree, in Hash256 statementId, byte[] receiptIds) : this(statement, leaves, tree)
    {
        if (receiptIds.Length != Count * Formats.ReceiptId.Size) throw new ArgumentException("there is one receipt id per leaf", nameof(receiptIds));
        _id = new StrongBox<Hash256>(statementId);
        _receiptIds = receiptIds;
    }

    /// <summary>header ‖ signature ‖ body.</summary>
    public ReadOnlyMemory<byte> Statement { get; }

    /// <summary>How long the sealer hashed rows and tree. For metrics; zero from a sealer that does not measure.</summary>
    public TimeSpan HashTime { get; init; }

    /// <summary>How long the sealer took for the signature. For metrics; zero from a sealer that does not measure.</summary>
    public TimeSpan SignTime { get; init; }

    /// <summary>Number of receipts in the batch.</summary>
    public int Count { get; }

    /// <summary>The statement's leaf hash in the log: what names a statement everywhere behind the fast path.</summary>
    public Hash256 StatementId => (_id ??= new StrongBox<Hash256>(MerkleTree.LeafHash(Statement.Span))).Value;

    /// <summary>Every row's leaf hash, by row.</summary>
    public ReadOnlySpan<Hash256> LeafHashes => MemoryMarshal.Cast<byte, Hash256>(_tree)[..Count];

    /// <summary>Every row's receipt id, by row.</summary>
    public ReadOnlySpan<ReceiptId> ReceiptIds => MemoryMarshal.Cast<byte, ReceiptId>(_receiptIds ??= ComputeReceiptIds());

    public ReadOnlySpan<byte> LeafPreimage(int row) => _leaves.AsSpan(row * RowLeaf.Size, RowLeaf.Size);

    public Hash256 LeafHash(int row) => LeafHashes[row];

    public ReceiptId ReceiptId(int row) => ReceiptIds[row];

    public Receipt Receipt(int row) =>
        new(Statement, (uint)row, LeafPreimage(row).ToArray(), RowTree.Path(_tree, Count, row));

    private byte[] ComputeReceiptIds()
    {
        var ids = new byte[Count * Formats.ReceiptId.Size];
        for (var row = 0; row < Count; row++) Formats.ReceiptId.Of(LeafPreimage(row)).Bytes.CopyTo(ids.AsSpan(row * Formats.ReceiptId.Size));
        return ids;
    }
}
