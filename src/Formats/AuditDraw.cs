using System.Buffers.Binary;
using System.Security.Cryptography;

namespace OpenGradient.Engine.Formats;

/// <summary>What re-executing a row of an anchored statement showed. Numbers are on disk.</summary>
public enum AuditOutcome
{
    /// <summary>The draw picked the row; it was not executed again yet.</summary>
    Sampled = 0,

    /// <summary>The execution gave the committed bits.</summary>
    Reproduced = 1,

    /// <summary>It gave other bits, under the stated fingerprint and class: a fraud bundle shows it.</summary>
    Disputed = 2,

    /// <summary>Nothing can be said; an <see cref="AuditReason"/> says why.</summary>
    NotReproducible = 3,
}

/// <summary>Why nothing can be said of a row that was due: a closed set. Numbers are on disk.</summary>
public enum AuditReason
{
    None = 0,

    /// <summary>Its input is not here: retention was off or full, its window had passed, or another process executed it.</summary>
    NotRetained = 1,

    /// <summary>Its input was erased because somebody asked for it.</summary>
    Erased = 2,

    /// <summary>Class C: neighbours, whose inputs are nobody else's, change the answer.</summary>
    ContentDependent = 3,

    /// <summary>Class U: nobody found out what the row's bits depend on.</summary>
    NotProbed = 4,

    /// <summary>The statement's model is not served here any more, or is larger than an audit may open.</summary>
    ModelMissing = 5,

    /// <summary>Something that the fingerprint names is another here.</summary>
    OtherRuntime = 6,

    /// <summary>The backend refused the row, or did not end in time.</summary>
    BackendRefused = 7,

    /// <summary>What was retained is not what the receipt commits to: memory or disk changed it.</summary>
    InputMismatch = 8,
}

/// <summary>The block whose hash decides a draw. Nobody knew it while the rows were executed and anchored.</summary>
public sealed record AuditBeacon(ulong BlockNumber, Hash256 BlockHash);

/// <summary>
/// Which rows of an anchored checkpoint are to be executed again (docs/formats.md, "Audit draw"). A pure function of public
/// values: whoever has them knows which rows were due. Rows are named by the statement's leaf in the log and the row's index
/// in the batch's tree.
/// </summary>
public readonly struct AuditDraw
{
    /// <summary>Blocks from the anchor's block to its beacon. 4: one- and two-block reorganisations, which happen by themselves, rarely move the draw.</summary>
    public const ulong BeaconDistance = 4;

    private readonly Hash256 _seed;

    private AuditDraw(Hash256 seed, uint oneIn) => (_seed, OneIn) = (seed, oneIn);

    /// <summary>The draw of one checkpoint.</summary>
    /// <param name="logId">Of the log that the checkpoint is of.</param>
    /// <param name="size">The checkpoint's size.</param>
    /// <param name="root">The checkpoint's root.</param>
    /// <param name="chainId">The chain that anchors it.</param>
    /// <param name="beacon">The block <see cref="BeaconDistance"/> blocks after the anchor's.</param>
    /// <param name="oneIn">A row is due with a probability of one in so many.</param>
    public static AuditDraw Of(in Hash256 logId, ulong size, in Hash256 root, ulong chainId, AuditBeacon beacon, uint oneIn)
    {
        ArgumentOutOfRangeException.ThrowIfZero(oneIn);
        var input = new ByteWriter().Tag("OGE audit v1"u8).Hash(logId).U64(size).Hash(root).U64(chainId).U64(beacon.BlockNumber).Hash(beacon.BlockHash).ToArray();
        return new AuditDraw(Hash256.Sha256(input), oneIn);
    }

    public Hash256 Seed => _seed;

    public uint OneIn { get; }

    /// <summary>Whether a row is to be executed again.</summary>
    /// <param name="leaf">The statement's leaf index in the log.</param>
    /// <param name="row">The row leaf's index in the batch's tree.</param>
    public bool IsDue(ulong leaf, uint row)
    {
        // 44 bytes: one block of SHA-256, since a busy log asks this of a hundred thousand rows a second.
        Span<byte> input = stackalloc byte[Hash256.Size + 8 + 4];
        _seed.Bytes.CopyTo(input);
        BinaryPrimitives.WriteUInt64BigEndian(input[32..], leaf);
        BinaryPrimitives.WriteUInt32BigEndian(input[40..], row);
        Span<byte> digest = stackalloc byte[Hash256.Size];
        SHA256.HashData(input, digest);
        return Math.BigMul(BinaryPrimitives.ReadUInt64BigEndian(digest), OneIn, out _) == 0;
    }

    /// <summary>Probability that at least one of so many bad rows is drawn: 1 − (1 − 1/n)^k.</summary>
    public static double DetectionProbability(uint oneIn, long badRows) => oneIn == 0 ? 0 : 1 - Math.Pow(1 - (1.0 / oneIn), badRows);
}
