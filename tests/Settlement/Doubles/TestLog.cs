using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>A log's key and one epoch after the other, with statements that look as sealing makes them.</summary>
internal sealed class TestLog : INoteSigner
{
    private readonly Ed25519 _key;
    private ulong _sequence;

    public TestLog(string seed) => _key = Ed25519.FromSeed("log " + seed);

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    public ReadOnlySpan<byte> PublicKey => _key.PublicKey;

    public Hash256 LogId => SignedNote.LogIdOf(PublicKey);

    public VerifierKey VerifierKey => SignedNote.KeyOf(PublicKey);

    public byte[] SignNote(ReadOnlySpan<byte> text) => _key.SignNote(text);

    /// <summary>The log's word for a tree, as a note.</summary>
    public byte[] Note(ulong size, Hash256 root) => SignedNote.Encode(PublicKey, size, root, SignNote(SignedNote.Text(LogId, size, root)));

    public SealedBatch Batch(TestEpoch epoch, int rows, Random random)
    {
        var leaves = new byte[rows * RowLeaf.Size];
        var hashes = new Hash256[rows];
        for (var row = 0; row < rows; row++)
        {
            var salt = new byte[16];
            random.NextBytes(salt);
            var preimage = new RowLeaf(salt, Hash256.Sha256(salt), Hash256.Sha256([1, .. salt]), Hash256.Sha256([0xa0]), (uint)row, 1).ToArray();
            preimage.CopyTo(leaves.AsSpan(row * RowLeaf.Size));
            hashes[row] = RowLeaf.HashOf(preimage);
        }

        var statement = new Statement
        {
            LogId = LogId, Epoch = epoch.Epoch.Id, Sequence = ++_sequence, Signature = new byte[65], Context = epoch.Context, RowsRoot = MerkleTree.Root(hashes),
            Receipts = (uint)rows, BatchRows = (uint)rows, HostTime = (ulong)(Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100,
        };
        statement = statement with { Signature = epoch.Key.SignDigest(statement.SignedDigest) };
        return new SealedBatch(statement.Encode(), leaves, Tree(hashes));
    }

    private static byte[] Tree(Hash256[] level)
    {
        var tree = new List<byte>();
        while (true)
        {
            foreach (var hash in level) tree.AddRange(hash.Bytes);
            if (level.Length == 1) return [.. tree];
            var above = new Hash256[(level.Length + 1) / 2];
            for (var i = 0; i < above.Length; i++) above[i] = 2 * i + 1 < level.Length ? MerkleTree.NodeHash(level[2 * i], level[2 * i + 1]) : level[2 * i];
            level = above;
        }
    }
}

/// <summary>One life of the engine's key.</summary>
internal sealed class TestEpoch : ICheckpointSigner
{
    public TestEpoch(string seed)
    {
        Key = Secp256k1.FromSeed("epoch " + seed);
        var binding = System.Text.Encoding.UTF8.GetBytes("binding of " + seed);
        Epoch = new Epoch(Hash256.Sha256(binding), Key.Address, new Evidence(EvidenceKind.Software, binding, new byte[] { 1, 2, 3 }).Encode());
    }

    public Secp256k1 Key { get; }

    public Epoch Epoch { get; }

    public int CheckpointsSigned { get; private set; }

    public StatementContext Context { get; set; } = new(
        "digits", "1", Hash256.Sha256("model"u8), new RuntimeFingerprint("test", "1", Hash256.Sha256("library"u8), "cpu", "avx2", "f32", ""), DeterminismClass.A, 1);

    public byte[] SignCheckpoint(in CheckpointClaim claim)
    {
        CheckpointsSigned++;
        return Key.SignDigest(claim.Digest());
    }
}

/// <summary>Finds fault with the statements it was told to.</summary>
internal sealed class TestVerifier : IStatementVerifier
{
    public HashSet<Hash256> Bad { get; } = [];

    /// <summary>Called before each verdict.</summary>
    public Action? Verifying { get; set; }

    public IReadOnlyList<VerificationReason> Verify(ReadOnlyMemory<byte> statement)
    {
        Verifying?.Invoke();
        return Judge(statement);
    }

    private IReadOnlyList<VerificationReason> Judge(ReadOnlyMemory<byte> statement) =>
        Bad.Contains(MerkleTree.LeafHash(statement.Span)) ? [VerificationReason.StatementSignatureInvalid, VerificationReason.EpochUnknown] : [];
}
