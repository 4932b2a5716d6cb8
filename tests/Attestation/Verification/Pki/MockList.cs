using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Pki;

/// <summary>A revocation list of a test's own issuer, every field of which can be wrong.</summary>
internal sealed record MockList
{
    private const string EcdsaWithSha384 = "1.2.840.10045.4.3.3";

    public required X509Certificate2 Issuer { get; init; }

    public required ECDsa Signer { get; init; }

    public DateTimeOffset ThisUpdate { get; init; } = MockPath.At.AddDays(-1);

    public DateTimeOffset? NextUpdate { get; init; } = MockPath.At.AddDays(29);

    public int? Version { get; init; } = 1;

    public string InnerAlgorithm { get; init; } = EcdsaWithSha384;

    public IReadOnlyList<byte[]> Serials { get; init; } = [];

    public (string Identifier, bool IsCritical)? EntryExtension { get; init; }

    public (string Identifier, bool IsCritical)? ListExtension { get; init; }

    public int? Number { get; init; } = 7;

    public byte[] Sign()
    {
        var signed = new AsnWriter(AsnEncodingRules.DER);
        WriteSigned(signed);
        var bytes = signed.Encode();
        var list = new AsnWriter(AsnEncodingRules.DER);
        using (list.PushSequence())
        {
            list.WriteEncodedValue(bytes);
            WriteAlgorithm(list, EcdsaWithSha384);
            list.WriteBitString(Signer.SignData(bytes, HashAlgorithmName.SHA384, DSASignatureFormat.Rfc3279DerSequence));
        }

        return list.Encode();
    }

    private void WriteSigned(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            if (Version is { } version) writer.WriteInteger(version);
            WriteAlgorithm(writer, InnerAlgorithm);
            writer.WriteEncodedValue(Issuer.SubjectName.RawData);
            writer.WriteUtcTime(ThisUpdate);
            if (NextUpdate is { } next) writer.WriteUtcTime(next);
            if (Serials.Count > 0) WriteEntries(writer);
            if (Number is not null || ListExtension is not null) WriteExtensions(writer);
        }
    }

    private void WriteEntries(AsnWriter writer)
    {
        using (writer.PushSequence())
        {
            foreach (var serial in Serials)
            {
                using (writer.PushSequence())
                {
                    writer.WriteInteger(serial);
                    writer.WriteUtcTime(ThisUpdate);
                    if (EntryExtension is { } extension)
                    {
                        using (writer.PushSequence()) WriteExtension(writer, extension, [0x0a, 1, 1]);
                    }
                }
            }
        }
    }

    private void WriteExtensions(AsnWriter writer)
    {
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
        {
            using (writer.PushSequence())
            {
                if (Number is { } number) WriteExtension(writer, ("2.5.29.20", false), [2, 1, (byte)number]);
                if (ListExtension is { } extension) WriteExtension(writer, extension, [5, 0]);
            }
        }
    }

    private static void WriteExtension(AsnWriter writer, (string Identifier, bool IsCritical) extension, byte[] value)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(extension.Identifier);
            if (extension.IsCritical) writer.WriteBoolean(true);
            writer.WriteOctetString(value);
        }
    }

    private static void WriteAlgorithm(AsnWriter writer, string identifier)
    {
        using (writer.PushSequence()) writer.WriteObjectIdentifier(identifier);
    }
}
