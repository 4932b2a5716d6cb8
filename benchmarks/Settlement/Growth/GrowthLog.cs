using System.Buffers.Binary;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Benchmarks.Settlement.Growth;

/// <summary>
/// Makes batches that look as sealing makes them, from nothing but their number: the same number gives the same batch, so
/// that any receipt of a grown log can be asked for again. Signatures are stand-ins: growth is not about them, and a real
/// one per statement would be most of the time.
/// </summary>
internal sealed class GrowthLog : INoteSigner, ICheckpointSigner, IStatementVerifier, ITransactionSigner
{
    private static readonly byte[] Binding = "growth"u8.ToArray();
    private static readonly byte[] Signature = [.. Enumerable.Repeat((byte)1, 64), 0];
    private static readonly StatementContext Context = new(
        "growth", "1", Hash256.Sha256("no model"u8), new RuntimeFingerprint("none", "1", Hash256.Sha256("no library"u8), "cpu", "none", "fp32", ""), DeterminismClass.A, 1);

    private readonly byte[] _publicKey = Hash256.Sha256("growth log"u8).ToArray();

    public ReadOnlySpan<byte> PublicKey => _publicKey;

    public Hash256 LogId => SignedNote.LogIdOf(_publicKey);

    public Epoch Epoch { get; } = new(Hash256.Sha256(Binding), new EvmAddress(Hash256.Sha256("growth key"u8).Bytes[12..]), new Evidence(EvidenceKind.Software, Binding, new byte[] { 1 }).Encode());

    public EvmAddress Address { get; } = new(Hash256.Sha256("growth account"u8).Bytes[12..]);

    public byte[] SignNote(ReadOnlySpan<byte> text) => new byte[64];

    public byte[] SignCheckpoint(in CheckpointClaim claim) => [.. Signature];

    public byte[] SignDigest(in Hash256 digest) => [.. digest.Bytes, .. digest.Bytes, 0];

    public IReadOnlyList<VerificationReason> Verify(ReadOnlyMemory<byte> statement) => [];

    public SealedBatch Batch(long number, int rows, ulong time)
    {
        var leaves = new byte[rows * RowLeaf.Size];
        var tree = new List<Hash256[]> { new Hash256[rows] };
        for (var row = 0; row < rows; row++)
        {
            var leaf = leaves.AsSpan(row * RowLeaf.Size, RowLeaf.Size);
            BinaryPrimitives.WriteInt64BigEndian(leaf, number);
            BinaryPrimitives.WriteInt32BigEndian(leaf[8..], row);
            BinaryPrimitives.WriteUInt32BigEndian(leaf[112..], (uint)row);
            BinaryPrimitives.WriteUInt16BigEndian(leaf[116..], 1);
            tree[0][row] = RowLeaf.HashOf(leaf);
        }

        while (tree[^1].Length > 1) tree.Add(Above(tree[^1]));
        var statement = new Statement
        {
            LogId = LogId, Epoch = Epoch.Id, Sequence = (ulong)number + 1, Signature = Signature, Context = Context, RowsRoot = tree[^1][0],
            Receipts = (uint)rows, BatchRows = (uint)rows, HostTime = time,
        };
        return new SealedBatch(statement.Encode(), leaves, [.. tree.SelectMany(level => level).SelectMany(hash => hash.ToArray())]);
    }

    private static Hash256[] Above(Hash256[] level)
    {
        var above = new Hash256[(level.Length + 1) / 2];
        for (var i = 0; i < above.Length; i++) above[i] = (2 * i) + 1 < level.Length ? MerkleTree.NodeHash(level[2 * i], level[(2 * i) + 1]) : level[2 * i];
        return above;
    }
}
