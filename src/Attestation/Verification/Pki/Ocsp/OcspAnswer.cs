using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.Pki.Ocsp;

/// <summary>An OCSP response (RFC 6960, 4.2), read strictly. .NET has no reader of one. Nothing in it is judged here but its signature.</summary>
internal sealed class OcspAnswer
{
    public const int Largest = 64 * 1024;

    private const string Basic = "1.3.6.1.5.5.7.48.1.1";
    private const int MostStatuses = 64, MostCertificates = 8;

    private static readonly Asn1Tag Context1 = new(TagClass.ContextSpecific, 1, true), Context2 = new(TagClass.ContextSpecific, 2, true);

    private ReadOnlyMemory<byte> _signed, _signature, _algorithm;
    private ReadOnlyMemory<byte>? _name, _key;

    private OcspAnswer()
    {
    }

    public DateTimeOffset ProducedAt { get; private set; }

    /// <summary>Null: the answer has none.</summary>
    public ReadOnlyMemory<byte>? Nonce { get; private set; }

    public IReadOnlyList<OcspStatus> Statuses { get; private set; } = [];

    /// <summary>DER of the certificates that came along; the responder's may be among them.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Certificates { get; private set; } = [];

    /// <exception cref="FormatException">Not exactly one answer, or an answer that says that there is none.</exception>
    public static OcspAnswer Read(ReadOnlyMemory<byte> der)
    {
        if (der.Length > Largest) throw new FormatException($"{der.Length} bytes; {Largest} are allowed");
        try
        {
            var answer = new OcspAnswer();
            answer.ReadOuter(der);
            return answer;
        }
        catch (Exception error) when (error is AsnContentException or CryptographicException or ArgumentException or OverflowException)
        {
            throw new FormatException("not exactly one OCSP response");
        }
    }

    /// <summary>Whether the answer says that the holder of this certificate gave it.</summary>
    public bool IsFrom(X509Certificate2 responder)
    {
        if (_name is { } name) return responder.SubjectName.RawData.AsSpan().SequenceEqual(name.Span);
        // SHA-1 by the standard; it chooses among certificates, and the signature decides.
#pragma warning disable CA5350
        return SHA1.HashData(responder.PublicKey.EncodedKeyValue.RawData).AsSpan().SequenceEqual(_key!.Value.Span);
#pragma warning restore CA5350
    }

    public bool IsSignedBy(X509Certificate2 responder)
    {
        try
        {
            return SignatureScheme.Read(_algorithm) is { } scheme && scheme.Holds(responder, _signed.Span, _signature.Span);
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    private void ReadOuter(ReadOnlyMemory<byte> der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var response = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        var status = response.ReadEnumeratedBytes().Span;
        if (status is not [0]) throw new FormatException($"the responder gave no answer, but status {Convert.ToHexStringLower(status)}");
        var wrapped = response.ReadSequence(DerFields.Context0);
        response.ThrowIfNotEmpty();
        var bytes = wrapped.ReadSequence();
        wrapped.ThrowIfNotEmpty();
        if (bytes.ReadObjectIdentifier() != Basic) throw new FormatException("a response of another type");
        var basic = bytes.ReadOctetString();
        bytes.ThrowIfNotEmpty();
        ReadBasic(basic);
    }

    private void ReadBasic(ReadOnlyMemory<byte> der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var basic = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        _signed = basic.ReadEncodedValue();
        _algorithm = basic.ReadEncodedValue();
        _signature = DerFields.ReadWholeBits(basic);
        if (basic.HasData)
        {
            var wrapped = basic.ReadSequence(DerFields.Context0);
            basic.ThrowIfNotEmpty();
            var list = wrapped.ReadSequence();
            wrapped.ThrowIfNotEmpty();
            Certificates = ReadAll(list, MostCertificates, reader => reader.ReadEncodedValue());
        }

        ReadSigned();
    }

    private void ReadSigned()
    {
        var fields = new AsnReader(_signed, AsnEncodingRules.DER).ReadSequence();
        // The only version is the default, which DER leaves out.
        if (fields.PeekTag() == Context1) _name = Unwrap(fields, Context1).ReadEncodedValue();
        else _key = Whole(fields.ReadSequence(Context2), reader => reader.ReadOctetString());
        ProducedAt = DerFields.ReadTime(fields);
        Statuses = ReadAll(fields.ReadSequence(), MostStatuses, ReadStatus);
        if (Statuses.Count == 0) throw new FormatException("says nothing of any certificate");
        if (fields.HasData && ReadExtensions(fields, OcspNonce.Identifier).TryGetValue(OcspNonce.Identifier, out var nonce)) Nonce = OcspNonce.Read(nonce.Value);
        fields.ThrowIfNotEmpty();
    }

    private static OcspStatus ReadStatus(AsnReader list)
    {
        var status = list.ReadSequence();
        var id = status.ReadSequence();
        var hash = ReadHash(id.ReadSequence());
        var (name, key, serial) = (id.ReadOctetString(), id.ReadOctetString(), id.ReadIntegerBytes());
        id.ThrowIfNotEmpty();
        var state = ReadState(status);
        var thisUpdate = DerFields.ReadTime(status);
        DateTimeOffset? nextUpdate = status.HasData && status.PeekTag() == DerFields.Context0 ? Whole(status.ReadSequence(DerFields.Context0), DerFields.ReadTime) : null;
        if (status.HasData) ReadExtensions(status, null);
        status.ThrowIfNotEmpty();
        return new OcspStatus(hash, name, key, serial, state, thisUpdate, nextUpdate);
    }

    // Why and since when a certificate is revoked changes nothing.
    private static OcspState ReadState(AsnReader status)
    {
        var tag = status.PeekTag();
        if (tag == Context1)
        {
            var revoked = status.ReadSequence(Context1);
            DerFields.ReadTime(revoked);
            if (revoked.HasData) Whole(revoked.ReadSequence(DerFields.Context0), reader => reader.ReadEnumeratedBytes());
            revoked.ThrowIfNotEmpty();
            return OcspState.Revoked;
        }

        status.ReadNull(tag);
        if (tag == new Asn1Tag(TagClass.ContextSpecific, 0)) return OcspState.Good;
        return tag == new Asn1Tag(TagClass.ContextSpecific, 2) ? OcspState.Unknown : throw new AsnContentException("a status of another kind");
    }

    private static HashAlgorithmName? ReadHash(AsnReader algorithm)
    {
        var identifier = algorithm.ReadObjectIdentifier();
        if (algorithm.HasData) algorithm.ReadNull();
        algorithm.ThrowIfNotEmpty();
        return identifier switch
        {
            // Names a certificate that is known already: nobody chooses both.
            "1.3.14.3.2.26" => HashAlgorithmName.SHA1,
            "2.16.840.1.101.3.4.2.1" => HashAlgorithmName.SHA256,
            "2.16.840.1.101.3.4.2.2" => HashAlgorithmName.SHA384,
            "2.16.840.1.101.3.4.2.3" => HashAlgorithmName.SHA512,
            _ => null,
        };
    }

    private static Dictionary<string, (bool IsCritical, ReadOnlyMemory<byte> Value)> ReadExtensions(AsnReader fields, string? known)
    {
        var wrapped = Unwrap(fields, Context1);
        var extensions = DerFields.ReadExtensions(wrapped);
        if (extensions.Any(extension => extension.Value.IsCritical && extension.Key != known)) throw new AsnContentException("a critical extension that is not known");
        wrapped.ThrowIfNotEmpty();
        return extensions;
    }

    private static List<T> ReadAll<T>(AsnReader list, int most, Func<AsnReader, T> read)
    {
        var all = new List<T>();
        while (list.HasData)
        {
            if (all.Count == most) throw new FormatException($"more than {most} entries");
            all.Add(read(list));
        }

        return all;
    }

    private static AsnReader Unwrap(AsnReader fields, Asn1Tag tag) => fields.ReadSequence(tag);

    private static T Whole<T>(AsnReader reader, Func<AsnReader, T> read)
    {
        var value = read(reader);
        reader.ThrowIfNotEmpty();
        return value;
    }
}
