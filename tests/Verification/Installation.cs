using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification.Tests;

/// <summary>
/// A whole installation in small: log key, development root, two epochs, a log of three statements, checkpoints, an anchor
/// claim. What it makes is real; only the chain behind the anchor is not there.
/// </summary>
public sealed unsafe class Installation : IDisposable
{
    private static readonly AttestationShim Shim = AttestationShim.Load();
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("og-verification-");
    private readonly LogKey _logKey;
    private readonly SoftwareRoot _root;

    public Installation()
    {
        _logKey = LogKey.Open(Shim, Path.Combine(_folder.FullName, "log.key"));
        _root = SoftwareRoot.Open(Shim, Path.Combine(_folder.FullName, "root.key"));
        First = Open();
        Second = Open();
        First.UpdateChainView(new ChainView(ChainId, 7, Hash256.Sha256("a block"u8)));
        Batch = Seal(First, 5);
        Statements = [Batch.Statement.ToArray(), Seal(First, 1).Statement.ToArray(), Seal(Second, 2).Statement.ToArray()];
        Trust = new TrustPolicy
        {
            Logs = new HashSet<Hash256> { LogId }, ChainId = ChainId, Contract = Contract, Models = new HashSet<Hash256> { Model },
            Evidence = new EvidenceTrust(new HashSet<EvidenceKind> { EvidenceKind.Software }, [_root.PublicKey], new HashSet<Hash256> { Shim.BuildDigest() }),
        };
    }

    public static readonly NativeSignatures Signatures = new(Shim);
    public static readonly EvidenceVerifier EvidenceVerifier = new(Signatures);
    public static readonly Hash256 Model = Hash256.Sha256("model"u8);
    public static readonly EvmAddress Contract = EvmAddress.Parse("0x00112233445566778899aabbccddeeff00112233");
    public const ulong ChainId = 31337;
    public const int Row = 3;

    public EnclaveEpoch First { get; }

    public EnclaveEpoch Second { get; }

    public SealedBatch Batch { get; }

    public byte[][] Statements { get; }

    public TrustPolicy Trust { get; }

    public Hash256 LogId => _logKey.LogId;

    public Evidence EvidenceOf(EnclaveEpoch epoch) => Evidence.Decode(epoch.Epoch.Evidence.Span);

    /// <summary>The receipt of one row with everything that a final one has; the checkpoint is signed by the given epoch.</summary>
    public ReceiptBundle Bundle(EnclaveEpoch signer) => new()
    {
        Receipt = Batch.Receipt(Row),
        Evidence = EvidenceOf(First),
        Inclusion = new InclusionProof(0, 3, MerkleTree.InclusionPath(Leaves, 0)),
        Checkpoint = Checkpoint(signer),
        CheckpointEvidence = signer == First ? null : EvidenceOf(signer),
        Anchor = new AnchorClaim(Hash256.Sha256("transaction"u8), 9, Hash256.Sha256("its block"u8), 2),
    };

    public SignedCheckpoint Checkpoint(EnclaveEpoch signer)
    {
        var claim = new CheckpointClaim(LogId, 3, MerkleTree.Root(Leaves), LogHead.Empty, ChainId, Contract);
        var note = SignedNote.Encode(_logKey.PublicKey, claim.Size, claim.Root, _logKey.SignNote(SignedNote.Text(LogId, claim.Size, claim.Root)));
        return new SignedCheckpoint(
            claim.Size, claim.Root, claim.PreviousHead, ChainId, Contract, signer.Epoch.Id, signer.SignCheckpoint(claim), _logKey.PublicKey.ToArray(), note);
    }

    public EnclaveEpoch Open(ulong chainId = ChainId, Hash256? logId = null) => EnclaveEpoch.Open(
        Shim, new EpochOptions { LogId = logId ?? LogId, ChainId = chainId, Contract = Contract, Attester = EvidenceKind.Software, SoftwareRoot = _root }, TimeProvider.System);

    public static SealedBatch Seal(IBatchSealer epoch, int count)
    {
        var context = new StatementContext(
            "digits", "1", Model, new RuntimeFingerprint("onnxruntime", "1.27.0", Hash256.Sha256("runtime"u8), "cpu", "x64", "fp32", ""), DeterminismClass.A, 1).Encode();
        var rows = new RowView[count];
        fixed (byte* header = TensorSetDigest.Header("x", 2, [1, 4], 4), data = new byte[] { 1, 2, 3, 4 }, parameters = TensorSetDigest.NoParameters.ToArray())
        {
            var tensor = new TensorView { Header = header, HeaderLength = (ulong)TensorSetDigest.Header("x", 2, [1, 4], 4).Length, Data = data, DataLength = 4 };
            for (var i = 0; i < count; i++)
                rows[i] = new RowView { Inputs = &tensor, InputCount = 1, Outputs = &tensor, OutputCount = 1, ParameterDigest = parameters, FirstSlot = (uint)i, RowCount = 1 };
            return epoch.Seal(new BatchToSeal { Context = context, BatchRows = (uint)count, Rows = rows });
        }
    }

    public void Dispose()
    {
        First.Dispose();
        Second.Dispose();
        _root.Dispose();
        _logKey.Dispose();
        _folder.Delete(recursive: true);
    }

    private Hash256[] Leaves => [.. Statements.Select(statement => MerkleTree.LeafHash(statement))];
}
