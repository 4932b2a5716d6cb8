using System.Buffers.Binary;

namespace OpenGradient.Engine.Attestation.Verification.SevSnp;

/// <summary>A report's fields in place (AMD 56860, ATTESTATION_REPORT; little-endian).</summary>
internal sealed class SnpReport
{
    public const int Size = 0x4A0;

    /// <summary>What the signature covers.</summary>
    public const int SignedSize = 0x2A0;

    private const int SignaturePart = 72, ScalarSize = 48;

    // What each version leaves empty within the signed bytes. In version 2 the processor's identity is reserved as well; 4 is laid out as 3.
    private static readonly (int From, int To)[] _reserved = [(0x4C, 0x50), (0x18B, 0x1A0), (0x1EB, 0x1EC), (0x1EF, 0x1F0), (0x208, SignedSize)];
    private static readonly (int From, int To)[] _reservedBefore3 = [(0x188, 0x18B)];
    private static readonly (int From, int To)[] _reservedBefore5 = [(0x1F8, 0x208)];

    // Outside what the signature covers: without these checks, bits could change unnoticed.
    private static readonly (int From, int To)[] _reservedUnsigned =
        [(SignedSize + ScalarSize, SignedSize + SignaturePart), (SignedSize + SignaturePart + ScalarSize, SignedSize + (2 * SignaturePart)), (SignedSize + (2 * SignaturePart), Size)];

    private readonly ReadOnlyMemory<byte> _bytes;

    private SnpReport(ReadOnlyMemory<byte> bytes) => _bytes = bytes;

    public ReadOnlySpan<byte> Signed => _bytes.Span[..SignedSize];

    public uint Version => U32(0);

    public uint GuestSvn => U32(0x04);

    public SnpGuestPolicy Policy => new(U64(0x08));

    public uint Vmpl => U32(0x30);

    public ulong PlatformInfo => U64(0x40);

    public bool IsAliasCheckComplete => (PlatformInfo & (1UL << 5)) != 0;

    public SnpSigner Signer => (SnpSigner)((U32(0x48) >> 2) & 7);

    public bool IsChipMasked => (U32(0x48) & 2) != 0;

    public ReadOnlySpan<byte> ReportData => _bytes.Span.Slice(0x50, 64);

    public ReadOnlySpan<byte> Measurement => _bytes.Span.Slice(0x90, 48);

    public ReadOnlySpan<byte> HostData => _bytes.Span.Slice(0xC0, 32);

    public ReadOnlySpan<byte> IdKeyDigest => _bytes.Span.Slice(0xE0, 48);

    public ReadOnlySpan<byte> AuthorKeyDigest => _bytes.Span.Slice(0x110, 48);

    public ReadOnlySpan<byte> ReportedTcb => _bytes.Span.Slice(0x180, SnpTcb.Size);

    public ReadOnlySpan<byte> CommittedTcb => _bytes.Span.Slice(0x1E0, SnpTcb.Size);

    public ReadOnlySpan<byte> CurrentTcb => _bytes.Span.Slice(0x38, SnpTcb.Size);

    public ReadOnlySpan<byte> LaunchTcb => _bytes.Span.Slice(0x1F0, SnpTcb.Size);

    /// <summary>Null before version 3, which does not say.</summary>
    public (byte Family, byte Model)? Processor => Version >= 3 ? (_bytes.Span[0x188], _bytes.Span[0x189]) : null;

    /// <summary>64 bytes; all zero where the platform hides it.</summary>
    public ReadOnlySpan<byte> ChipId => _bytes.Span.Slice(0x1A0, 64);

    /// <summary>r ‖ s, 48 bytes each, most significant byte first.</summary>
    public byte[] Signature()
    {
        var signature = new byte[2 * ScalarSize];
        _bytes.Span.Slice(SignedSize, ScalarSize).CopyTo(signature);
        _bytes.Span.Slice(SignedSize + SignaturePart, ScalarSize).CopyTo(signature.AsSpan(ScalarSize));
        signature.AsSpan(0, ScalarSize).Reverse();
        signature.AsSpan(ScalarSize).Reverse();
        return signature;
    }

    /// <summary>The host's certificate table, which follows the report where the guest was given one; empty: none. Not signed.</summary>
    public ReadOnlyMemory<byte> HostTable { get; private init; }

    /// <summary>Null, with a reason, where nothing else can be said of the bytes.</summary>
    public static SnpReport? Read(ReadOnlyMemory<byte> evidence, ReasonList reasons)
    {
        if (evidence.Length < Size)
        {
            reasons.Refuse(AttestationCheck.Encoding, $"{evidence.Length} bytes, a report has {Size}");
            return null;
        }

        var report = new SnpReport(evidence[..Size]) { HostTable = evidence[Size..] };
        if (report.Version is not (>= 2 and <= 5))
        {
            reasons.Refuse(AttestationCheck.Version, $"report version {report.Version}");
            return null;
        }

        if (report.U32(0x34) != 1) reasons.Refuse(AttestationCheck.Version, $"signature algorithm {report.U32(0x34)}, not ECDSA P-384 with SHA-384");
        report.CheckReserved(reasons);
        return report;
    }

    private void CheckReserved(ReasonList reasons)
    {
        (int From, int To)[] all = [.. _reserved, .. _reservedUnsigned, .. Version < 3 ? _reservedBefore3 : [], .. Version < 5 ? _reservedBefore5 : []];
        foreach (var (from, to) in all)
        {
            if (_bytes.Span[from..to].ContainsAnyExcept((byte)0)) reasons.Refuse(AttestationCheck.Reserved, $"bytes 0x{from:x} to 0x{to:x} are not zero");
        }

        if (U32(0x48) >> 5 != 0) reasons.Refuse(AttestationCheck.Reserved, "unknown bits in the report's flags");
        if (!Policy.IsWellFormed) reasons.Refuse(AttestationCheck.Reserved, "the guest's policy has unknown bits, or lacks the one that is always set");
    }

    private uint U32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_bytes.Span[offset..]);

    private ulong U64(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(_bytes.Span[offset..]);
}
