namespace OpenGradient.Engine.Formats;

/// <summary>Who vouches for an epoch's key.</summary>
public enum EvidenceKind : ushort
{
    /// <summary>Development only: nothing but a key in a file stands behind it.</summary>
    Software = 1,
    Nitro = 2,
    SevSnp = 3,
    Tdx = 4,
    Tpm = 5,
}

/// <summary>An attester's document and the binding it proves (docs/formats.md, "Epoch binding and evidence").</summary>
public sealed record Evidence(EvidenceKind Kind, ReadOnlyMemory<byte> Binding, ReadOnlyMemory<byte> Document)
{
    public const int MaxSize = 65_536;

    /// <summary>The epoch this evidence is for: H(binding).</summary>
    public Hash256 Epoch => Hash256.Sha256(Binding.Span);

    /// <summary>What the platform signs: epoch ‖ 32 zero bytes.</summary>
    public byte[] ReportData => [.. Epoch.Bytes, .. new byte[32]];

    public byte[] Encode() => new ByteWriter()
        .Tag("OGE evidence v1"u8)
        .U16((ushort)Kind)
        .U32((uint)Binding.Length).Bytes(Binding.Span)
        .U32((uint)Document.Length).Bytes(Document.Span)
        .ToArray();

    /// <exception cref="FormatException">Not an evidence envelope.</exception>
    public static Evidence Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxSize) throw new FormatException($"evidence: more than {MaxSize} bytes");
        var reader = new ByteReader(bytes, "evidence");
        reader.Tag("OGE evidence v1"u8);
        var kind = (EvidenceKind)reader.U16();
        if (!Enum.IsDefined(kind)) throw new FormatException($"evidence: unknown kind {(ushort)kind}");
        var evidence = new Evidence(kind, reader.Take(reader.U32()).ToArray(), reader.Take(reader.U32()).ToArray());
        reader.End();
        return evidence;
    }
}

/// <summary>What a relying party accepts as evidence.</summary>
/// <param name="AcceptedKinds">Kinds not listed are refused; <see cref="EvidenceKind.Software"/> is listed only for development.</param>
/// <param name="SoftwareRoots">Compressed secp256k1 keys (33 bytes) of development roots.</param>
/// <param name="BuildDigests">Accepted measurements of the shim; empty accepts any, which the trust file must say.</param>
public sealed record EvidenceTrust(
    IReadOnlySet<EvidenceKind> AcceptedKinds, IReadOnlyList<ReadOnlyMemory<byte>> SoftwareRoots, IReadOnlySet<Hash256> BuildDigests)
{
    /// <summary>The evidence policy's bytes (docs/attestation.md, "Policy"); empty: no platform's evidence can be verified.</summary>
    public ReadOnlyMemory<byte> Policy { get; init; }

    /// <summary>Vendors' certificates, lists and identities by file name.</summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Collateral { get; init; } = new Dictionary<string, ReadOnlyMemory<byte>>();
}
