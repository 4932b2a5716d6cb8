using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Attestation.Tests.Verification.Nitro;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nvidia;

/// <summary>An OCSP answer about one certificate, every field of which can be wrong.</summary>
internal sealed record MockAnswer(MockCertificate Subject, MockCertificate Issuer)
{
    public const string Signing = "1.3.6.1.5.5.7.3.9";

    private static readonly Asn1Tag Context0 = new(TagClass.ContextSpecific, 0, true), Context1 = new(TagClass.ContextSpecific, 1, true), Context2 = new(TagClass.ContextSpecific, 2, true);

    /// <summary>Who answers; null: the issuer.</summary>
    public MockCertificate? Responder { get; init; }

    /// <summary>Whose key signs; null: the responder's.</summary>
    public MockCertificate? Signer { get; init; }

    public bool HasCertificate { get; init; } = true;

    public bool IsByName { get; init; }

    public HashAlgorithmName Hash { get; init; } = HashAlgorithmName.SHA384;

    public string? HashIdentifier { get; init; }

    /// <summary>0 good, 1 revoked, 2 unknown.</summary>
    public int State { get; init; }

    public DateTimeOffset ThisUpdate { get; init; } = MockDevice.At.AddHours(-1);

    public DateTimeOffset? NextUpdate { get; init; } = MockDevice.At.AddHours(1);

    public DateTimeOffset ProducedAt { get; init; } = MockDevice.At.AddMinutes(-1);

    public int Outer { get; init; }

    public string Type { get; init; } = "1.3.6.1.5.5.7.48.1.1";

    public (string Identifier, bool IsCritical)? Extension { get; init; }

    /// <summary>What the extension holds; the default is an octet string of one byte, as a nonce is.</summary>
    public byte[] ExtensionValue { get; init; } = [4, 1, 1];

    public (string Identifier, bool IsCritical)? StatusExtension { get; init; }

    public int Statuses { get; init; } = 1;

    public static MockShape ResponderShape(params string[] usages) => new()
    {
        IsAuthority = false, Usage = X509KeyUsageFlags.DigitalSignature,
        Extensions = usages.Length == 0 ? [] : [new X509EnhancedKeyUsageExtension([.. usages.Select(usage => new Oid(usage))], true)],
    };

    /// <summary>With this nonce in it.</summary>
    public MockAnswer To(params byte[] nonce)
    {
        var value = new AsnWriter(AsnEncodingRules.DER);
        value.WriteOctetString(nonce);
        return this with { Extension = ("1.3.6.1.5.5.7.48.1.2", false), ExtensionValue = value.Encode() };
    }

    public byte[] Bytes()
    {
        var signed = Signed();
        var basic = new AsnWriter(AsnEncodingRules.DER);
        using (basic.PushSequence())
        {
            basic.WriteEncodedValue(signed);
            using (basic.PushSequence()) basic.WriteObjectIdentifier("1.2.840.10045.4.3.3");
            basic.WriteBitString((Signer ?? Responder ?? Issuer).Key.SignData(signed, HashAlgorithmName.SHA384, DSASignatureFormat.Rfc3279DerSequence));
            if (HasCertificate && Responder is { } responder)
            {
                using (basic.PushSequence(Context0))
                using (basic.PushSequence()) basic.WriteEncodedValue(responder.Der);
            }
        }

        var outer = new AsnWriter(AsnEncodingRules.DER);
        using (outer.PushSequence())
        {
            outer.WriteEnumeratedValue((ResponseStatus)Outer);
            if (Outer == 0)
            {
                using (outer.PushSequence(Context0))
                using (outer.PushSequence())
                {
                    outer.WriteObjectIdentifier(Type);
                    outer.WriteOctetString(basic.Encode());
                }
            }
        }

        return outer.Encode();
    }

    private byte[] Signed()
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using var responder = X509CertificateLoader.LoadCertificate((Responder ?? Issuer).Der);
            if (IsByName)
            {
                using (writer.PushSequence(Context1)) writer.WriteEncodedValue(responder.SubjectName.RawData);
            }
            else
            {
                // SHA-1 by the standard.
#pragma warning disable CA5350
                using (writer.PushSequence(Context2)) writer.WriteOctetString(SHA1.HashData(responder.PublicKey.EncodedKeyValue.RawData));
#pragma warning restore CA5350
            }

            writer.WriteGeneralizedTime(ProducedAt, true);
            using (writer.PushSequence())
            {
                for (var i = 0; i < Statuses; i++) WriteStatus(writer);
            }

            WriteExtension(writer, Extension);
        }

        return writer.Encode();
    }

    private void WriteStatus(AsnWriter writer)
    {
        using var subject = X509CertificateLoader.LoadCertificate(Subject.Der);
        using var issuer = X509CertificateLoader.LoadCertificate(Issuer.Der);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
            {
                using (writer.PushSequence()) writer.WriteObjectIdentifier(HashIdentifier ?? Identifier());
                writer.WriteOctetString(CryptographicOperations.HashData(Hash, issuer.SubjectName.RawData));
                writer.WriteOctetString(CryptographicOperations.HashData(Hash, issuer.PublicKey.EncodedKeyValue.RawData));
                writer.WriteInteger(new BigInteger(subject.SerialNumberBytes.Span, false, true));
            }

            if (State == 1)
            {
                using (writer.PushSequence(Context1)) writer.WriteGeneralizedTime(ThisUpdate, true);
            }
            else
            {
                writer.WriteNull(new Asn1Tag(TagClass.ContextSpecific, State));
            }

            writer.WriteGeneralizedTime(ThisUpdate, true);
            if (NextUpdate is { } next)
            {
                using (writer.PushSequence(Context0)) writer.WriteGeneralizedTime(next, true);
            }

            WriteExtension(writer, StatusExtension);
        }
    }

    private string Identifier() => Hash.Name switch
    {
        "SHA1" => "1.3.14.3.2.26",
        "SHA256" => "2.16.840.1.101.3.4.2.1",
        "SHA384" => "2.16.840.1.101.3.4.2.2",
        _ => "2.16.840.1.101.3.4.2.3",
    };

    private void WriteExtension(AsnWriter writer, (string Identifier, bool IsCritical)? extension)
    {
        if (extension is not { } value) return;
        using (writer.PushSequence(Context1))
        using (writer.PushSequence())
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(value.Identifier);
            if (value.IsCritical) writer.WriteBoolean(true);
            writer.WriteOctetString(ExtensionValue);
        }
    }

    private enum ResponseStatus
    {
        Successful,
        Malformed,
        InternalError,
        TryLater,
    }
}
