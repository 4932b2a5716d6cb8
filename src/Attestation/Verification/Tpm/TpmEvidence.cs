using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>How evidence names the attestation key.</summary>
public enum TpmKeyForm
{
    /// <summary>TPMT_PUBLIC: the TPM's own description, with attributes and name.</summary>
    Public = 1,

    /// <summary>SubjectPublicKeyInfo: only the key. Other evidence must vouch for it.</summary>
    Bare = 2,
}

/// <summary>
/// A quote with what is needed to judge it (docs/attestation/tpm.md, "Evidence"). A TPM has no format for the whole; this envelope is the
/// project's own. Nothing in it is signed but the quote, which pins key and registers.
/// </summary>
public sealed record TpmEvidence
{
    /// <summary>Larger evidence is refused unread: the log is at most half of it in practice.</summary>
    public const int LargestSize = 512 * 1024;

    private const int LargestPart = 4096, LargestCertificate = 8 * 1024, MostCertificates = 6;

    public required TpmKeyForm Form { get; init; }

    public required ReadOnlyMemory<byte> Key { get; init; }

    /// <summary>TPMS_ATTEST: the signed bytes.</summary>
    public required ReadOnlyMemory<byte> Quote { get; init; }

    /// <summary>TPMT_SIGNATURE.</summary>
    public required ReadOnlyMemory<byte> Signature { get; init; }

    /// <summary>The selected registers' values, one after the other in the order of the selection.</summary>
    public required ReadOnlyMemory<byte> Registers { get; init; }

    /// <summary>The endorsement key's certificate and, where they are at hand, its issuers up to the root; DER.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Endorsement { get; init; } = [];

    /// <summary>The firmware's event log (TCG PC Client, crypto-agile); empty: none.</summary>
    public ReadOnlyMemory<byte> EventLog { get; init; }

    public byte[] Encode()
    {
        var writer = new ByteWriter().Tag("OGE tpm v1"u8).U8((byte)Form);
        foreach (var part in (ReadOnlySpan<ReadOnlyMemory<byte>>)[Key, Quote, Signature, Registers]) writer.U16(part.Length).Bytes(part.Span);
        writer.U8(checked((byte)Endorsement.Count));
        foreach (var certificate in Endorsement) writer.U16(certificate.Length).Bytes(certificate.Span);
        return writer.U32((uint)EventLog.Length).Bytes(EventLog.Span).ToArray();
    }

    /// <exception cref="FormatException">Not exactly such an envelope.</exception>
    public static TpmEvidence Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > LargestSize) throw new FormatException("tpm evidence: too large");
        var reader = new ByteReader(bytes, "tpm evidence");
        reader.Tag("OGE tpm v1"u8);
        var form = reader.U8();
        if (form is not ((byte)TpmKeyForm.Public or (byte)TpmKeyForm.Bare)) throw new FormatException("tpm evidence: unknown form of key");
        var evidence = new TpmEvidence
        {
            Form = (TpmKeyForm)form, Key = Part(ref reader, LargestPart), Quote = Part(ref reader, LargestPart),
            Signature = Part(ref reader, LargestPart), Registers = Part(ref reader, LargestPart),
            Endorsement = Certificates(ref reader), EventLog = reader.Take(reader.U32()).ToArray(),
        };
        reader.End();
        return evidence;
    }

    private static ReadOnlyMemory<byte>[] Certificates(ref ByteReader reader)
    {
        var count = reader.U8();
        if (count > MostCertificates) throw new FormatException("tpm evidence: too many certificates");
        var certificates = new ReadOnlyMemory<byte>[count];
        for (var i = 0; i < count; i++) certificates[i] = Part(ref reader, LargestCertificate);
        return certificates;
    }

    private static byte[] Part(ref ByteReader reader, int largest)
    {
        var size = reader.U16();
        if (size == 0 || size > largest) throw new FormatException($"tpm evidence: a part of {size} bytes");
        return reader.Take(size).ToArray();
    }
}
