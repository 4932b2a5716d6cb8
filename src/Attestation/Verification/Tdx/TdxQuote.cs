namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>A quote whose fields stand where its format says (Intel TDX DCAP quoting library API, appendix 3 and 4: versions 4 and 5).</summary>
internal sealed record TdxQuote
{
    /// <summary>A quote, and what the project's attester carries behind it: all that fits into evidence.</summary>
    public const int LargestEvidence = 64 * 1024;

    // Real quotes come in buffers of up to 8,000 bytes; the structure itself is about 5,000.
    private const int MostBytes = 16 * 1024;

    private const int HeaderSize = 48, KeySize = 64;
    private const ushort EcdsaP256 = 2, Tdx10 = 2, Tdx15 = 3, QeReportData = 6, PckChain = 5;
    private const uint TdxTee = 0x81;

    /// <summary>The vendor of Intel's quoting enclaves, in the header of SGX and TDX quotes.</summary>
    public static ReadOnlySpan<byte> IntelQe => [0x93, 0x9A, 0x72, 0x33, 0xF7, 0x9C, 0x4C, 0xA9, 0x94, 0x0A, 0x0D, 0xB3, 0x95, 0x7F, 0x06, 0x07];

    public required TdxBody Body { get; init; }

    /// <summary>Header and body, with the body's descriptor in version 5: what the attestation key signed.</summary>
    public required ReadOnlyMemory<byte> Signed { get; init; }

    /// <summary>64 bytes, r ‖ s.</summary>
    public required ReadOnlyMemory<byte> Signature { get; init; }

    /// <summary>64 bytes, x ‖ y.</summary>
    public required ReadOnlyMemory<byte> AttestationKey { get; init; }

    public required QeReport QeReport { get; init; }

    /// <summary>64 bytes, r ‖ s, by the PCK.</summary>
    public required ReadOnlyMemory<byte> QeSignature { get; init; }

    public required ReadOnlyMemory<byte> QeAuthentication { get; init; }

    /// <summary>PCK certificate, its authority, the root.</summary>
    public required IReadOnlyList<ReadOnlyMemory<byte>> Certificates { get; init; }

    /// <summary>From behind the quote, not judged; null: none is there.</summary>
    public byte[]? EventLog { get; init; }

    /// <returns>Null, with the reason, where it is not a quote that could be judged.</returns>
    public static TdxQuote? Read(ReadOnlyMemory<byte> evidence, ReasonList reasons)
    {
        try
        {
            return Parse(evidence, reasons);
        }
        catch (FormatException error)
        {
            reasons.Refuse(AttestationCheck.Encoding, error.Message);
            return null;
        }
    }

    private static TdxQuote? Parse(ReadOnlyMemory<byte> evidence, ReasonList reasons)
    {
        var reader = new QuoteReader(evidence, "quote");
        if (!HeaderHolds(reader, reasons, out var version)) return null;
        var (bodySize, start) = version == 4 ? (TdxBody.Size10, HeaderSize) : Descriptor(reader, reasons);
        if (bodySize == 0) return null;
        var body = new TdxBody(reader.Take(bodySize));
        var signed = evidence[..(start + bodySize)];
        var data = new QuoteReader(reader.Take(reader.U32()), "signature data");
        var tail = reader.Take(reader.Left);
        var padding = tail[..TdxCarriedLog.Find(tail.Span)];
        var log = tail[padding.Length..];
        if (evidence.Length - log.Length > MostBytes) reasons.Refuse(AttestationCheck.Size, $"a quote of {evidence.Length - log.Length} bytes; at most {MostBytes} are read");
        // Buffers that the kernel did not trim end in zeros. Anything else is unsigned data that somebody put there.
        if (padding.Span.ContainsAnyExcept((byte)0)) reasons.Refuse(AttestationCheck.Encoding, $"{padding.Length} bytes behind the quote are not zero");

        var signature = data.Take(64);
        var key = data.Take(KeySize);
        var certification = Nested(data, QeReportData, "QE certification data");
        data.End();
        var report = new QeReport(certification.Take(QeReport.Size));
        var qeSignature = certification.Take(64);
        var authentication = certification.Take(certification.U16());
        var chain = Nested(certification, PckChain, "PCK chain");
        certification.End();
        return new TdxQuote
        {
            Body = body, Signed = signed, Signature = signature, AttestationKey = key, QeReport = report, QeSignature = qeSignature,
            QeAuthentication = authentication, Certificates = PemChain.Read(chain.Take(chain.Left).Span, inQuote: true),
            EventLog = log.IsEmpty ? null : TdxCarriedLog.Read(log.Span),
        };
    }

    private static bool HeaderHolds(QuoteReader reader, ReasonList reasons, out ushort version)
    {
        var before = reasons.Count;
        version = reader.U16();
        if (version is not (4 or 5)) reasons.Refuse(AttestationCheck.Version, $"quote version {version}");
        var key = reader.U16();
        if (key != EcdsaP256) reasons.Refuse(AttestationCheck.Version, $"attestation key type {key}");
        var tee = reader.U32();
        if (tee != TdxTee) reasons.Refuse(AttestationCheck.Version, $"TEE type 0x{tee:x}");
        var reserved = reader.U32();
        if (reserved != 0) reasons.Refuse(AttestationCheck.Reserved, "the header's reserved bytes are not zero");
        if (!reader.Take(16).Span.SequenceEqual(IntelQe)) reasons.Refuse(AttestationCheck.Version, "the quoting enclave is not of the known vendor");
        reader.Take(20);
        return reasons.Count == before;
    }

    // Version 5 says itself which body follows; size 0 stands for one that is not known.
    private static (int Size, int Start) Descriptor(QuoteReader reader, ReasonList reasons)
    {
        var type = reader.U16();
        var size = reader.U32();
        var expected = type switch { Tdx10 => TdxBody.Size10, Tdx15 => TdxBody.Size15, _ => 0 };
        if (expected == 0) reasons.Refuse(AttestationCheck.Version, $"body type {type}");
        else if (size != expected) throw new FormatException($"quote: a body of {size} bytes; type {type} has {expected}");
        return (expected, HeaderSize + 6);
    }

    private static QuoteReader Nested(QuoteReader outer, ushort type, string what)
    {
        var found = outer.U16();
        if (found != type) throw new FormatException($"{what}: type {found}, {type} expected");
        return new QuoteReader(outer.Take(outer.U32()), what);
    }
}
