namespace OpenGradient.Engine.Formats;

/// <summary>A statement's place in the log under one checkpoint.</summary>
public sealed record InclusionProof(ulong LeafIndex, ulong TreeSize, Hash256[] Path);

/// <summary>A checkpoint with both of its signatures (docs/formats.md, "Log and checkpoint").</summary>
/// <param name="Epoch">The epoch whose key signed the claim.</param>
/// <param name="Signature">65 bytes over the claim's EIP-712 digest.</param>
/// <param name="LogPublicKey">32 bytes, Ed25519; its hash is the log identity.</param>
/// <param name="Note">The C2SP signed note.</param>
public sealed record SignedCheckpoint(
    ulong Size, Hash256 Root, Hash256 PreviousHead, ulong ChainId, EvmAddress Contract,
    Hash256 Epoch, ReadOnlyMemory<byte> Signature, ReadOnlyMemory<byte> LogPublicKey, ReadOnlyMemory<byte> Note)
{
    public CheckpointClaim ClaimFor(in Hash256 logId) => new(logId, Size, Root, PreviousHead, ChainId, Contract);

    internal byte[] Encode() => new ByteWriter()
        .U64(Size).Hash(Root).Hash(PreviousHead).U64(ChainId).Address(Contract).Hash(Epoch)
        .Fixed(Signature.Span, Statement.SignatureSize, "a checkpoint's signature").Fixed(LogPublicKey.Span, 32, "a log's public key")
        .U32((uint)Note.Length).Bytes(Note.Span).ToArray();

    internal static SignedCheckpoint Decode(ref ByteReader reader) => new(
        reader.U64(), reader.Hash(), reader.Hash(), reader.U64(), reader.Address(), reader.Hash(),
        reader.Take(Statement.SignatureSize).ToArray(), reader.Take(32).ToArray(), reader.Take(reader.U32()).ToArray());
}

/// <summary>Where on the chain a checkpoint was anchored.</summary>
/// <param name="LogIndex">Index of the contract's event within the block.</param>
public sealed record AnchorClaim(Hash256 Transaction, ulong BlockNumber, Hash256 BlockHash, uint LogIndex);

/// <summary>A receipt with its proof as far as it has grown (docs/formats.md, "Bundle").</summary>
public sealed record ReceiptBundle
{
    public const int MaxSize = 1 << 20;

    /// <summary>The newest version that this build reads.</summary>
    public const int NewestVersion = 2;

    private const int NewestSectionOfVersion1 = 6;

    public required Receipt Receipt { get; init; }
    public Evidence? Evidence { get; init; }
    public InclusionProof? Inclusion { get; init; }
    public SignedCheckpoint? Checkpoint { get; init; }

    /// <summary>Evidence of the epoch that signed the checkpoint; absent when it is the statement's.</summary>
    public Evidence? CheckpointEvidence { get; init; }
    public AnchorClaim? Anchor { get; init; }

    /// <summary>Signature lines of witnesses under the checkpoint's note, each with its newline; empty: none.</summary>
    public ReadOnlyMemory<byte> Cosignatures { get; init; }

    /// <summary>That the tree of the inclusion proof is a prefix of the checkpoint's; null when they are one tree.</summary>
    public Hash256[]? Consistency { get; init; }

    /// <summary>1, unless it has sections that version 1 lacks: whoever knows only that reads what it can.</summary>
    public int Version => Cosignatures.IsEmpty && Consistency is null ? 1 : 2;

    public byte[] Encode()
    {
        var sections = new List<(ushort Type, byte[] Payload)> { (1, Receipt.Encode()) };
        if (Evidence is not null) sections.Add((2, Evidence.Encode()));
        if (Inclusion is not null)
            sections.Add((3, new ByteWriter().U64(Inclusion.LeafIndex).U64(Inclusion.TreeSize).Path(Inclusion.Path).ToArray()));
        if (Checkpoint is not null) sections.Add((4, Checkpoint.Encode()));
        if (CheckpointEvidence is not null) sections.Add((5, CheckpointEvidence.Encode()));
        if (Anchor is not null)
            sections.Add((6, new ByteWriter().Hash(Anchor.Transaction).U64(Anchor.BlockNumber).Hash(Anchor.BlockHash).U32(Anchor.LogIndex).ToArray()));
        if (!Cosignatures.IsEmpty) sections.Add((7, Cosignatures.ToArray()));
        if (Consistency is not null) sections.Add((8, new ByteWriter().Path(Consistency).ToArray()));

        var writer = new ByteWriter().Tag(Version == 1 ? "OGE bundle v1"u8 : "OGE bundle v2"u8).U16(sections.Count);
        foreach (var (type, payload) in sections) writer.U16(type).U32((uint)payload.Length).Bytes(payload);
        return writer.ToArray();
    }

    /// <exception cref="FormatException">Not a bundle's canonical bytes; the message names what was wrong.</exception>
    public static ReceiptBundle Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxSize) throw new FormatException($"bundle: more than {MaxSize} bytes");
        var reader = new ByteReader(bytes, "bundle");
        var version = ReadVersion(ref reader, bytes);

        Receipt? receipt = null;
        Evidence? evidence = null, checkpointEvidence = null;
        InclusionProof? inclusion = null;
        SignedCheckpoint? checkpoint = null;
        AnchorClaim? anchor = null;
        byte[] cosignatures = [];
        Hash256[]? consistency = null;
        var last = 0;
        for (var left = reader.U16(); left > 0; left--)
        {
            var type = reader.U16();
            if (type <= last) throw new FormatException("bundle: sections are not in increasing order");
            last = type;
            var payload = reader.Take(reader.U32());
            var section = new ByteReader(payload, $"bundle section {type}");
            switch (version == 1 && type > NewestSectionOfVersion1 ? 0 : type)
            {
                case 1: receipt = Receipt.Decode(payload); continue;
                case 2: evidence = Evidence.Decode(payload); continue;
                case 3: inclusion = new InclusionProof(section.U64(), section.U64(), section.Path()); break;
                case 4: checkpoint = SignedCheckpoint.Decode(ref section); break;
                case 5: checkpointEvidence = Evidence.Decode(payload); continue;
                case 6: anchor = new AnchorClaim(section.Hash(), section.U64(), section.Hash(), section.U32()); break;
                case 7:
                    CheckpointNote.ParseSignatures(payload);
                    cosignatures = payload.ToArray();
                    continue;
                case 8: consistency = section.Path(); break;
                default: throw new FormatException($"bundle: unknown section {type}");
            }

            section.End();
        }

        reader.End();
        if (version != 1 && last <= NewestSectionOfVersion1) throw new FormatException($"bundle: version {version} without a section that version 1 lacks");
        return new ReceiptBundle
        {
            Receipt = receipt ?? throw new FormatException("bundle: no receipt"),
            Evidence = evidence,
            Inclusion = inclusion,
            Checkpoint = checkpoint,
            CheckpointEvidence = checkpointEvidence,
            Anchor = anchor,
            Cosignatures = cosignatures,
            Consistency = consistency,
        };
    }

    private static int ReadVersion(ref ByteReader reader, ReadOnlySpan<byte> bytes)
    {
        if (bytes.StartsWith("OGE bundle v2"u8))
        {
            reader.Tag("OGE bundle v2"u8);
            return 2;
        }

        if (bytes.StartsWith("OGE bundle v"u8) && !bytes.StartsWith("OGE bundle v1"u8))
            throw new FormatException($"bundle: unknown tag or version; this build reads versions 1 and {NewestVersion}");
        reader.Tag("OGE bundle v1"u8);
        return 1;
    }
}
