using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Attestation.Verification.History;

namespace OpenGradient.Engine.Attestation.Verification.Pki;

/// <summary>A certificate revocation list (RFC 5280, 5), read strictly. .NET has no reader that verifies one.</summary>
public sealed class RevocationList
{
    private const int Largest = 1024 * 1024;
    private const string NumberIdentifier = "2.5.29.20";
    private const string ReasonIdentifier = "2.5.29.21";

    private readonly HashSet<string> _serials = new(StringComparer.Ordinal);
    private ReadOnlyMemory<byte> _signed, _signature, _issuer;
    private SignatureScheme? _scheme;

    private RevocationList()
    {
    }

    public DateTimeOffset ThisUpdate { get; private set; }

    /// <summary>Never absent: a list without it would hold for ever, and is refused.</summary>
    public DateTimeOffset NextUpdate { get; private set; }

    /// <summary>The list's number; zero where it has none.</summary>
    public BigInteger Number { get; private set; }

    public int Count => _serials.Count;

    /// <param name="der">At most 1 MiB.</param>
    /// <param name="name">For people: which list.</param>
    /// <returns>Null, with a reason (Revocation), where it is not one.</returns>
    public static RevocationList? Read(ReadOnlyMemory<byte> der, string name, ReasonList reasons)
    {
        if (der.Length > Largest)
        {
            reasons.Refuse(AttestationCheck.Revocation, $"{name} is {der.Length} bytes");
            return null;
        }

        try
        {
            var list = new RevocationList();
            var flaw = list.ReadOuter(der);
            if (flaw is null) return list;
            reasons.Refuse(AttestationCheck.Revocation, $"{name} {flaw}");
        }
        catch (Exception error) when (error is AsnContentException or CryptographicException or ArgumentException or OverflowException)
        {
            reasons.Refuse(AttestationCheck.Revocation, $"{name} is not exactly one revocation list");
        }

        return null;
    }

    /// <summary>Checks issuer, signature and validity at the time; reasons are Revocation.</summary>
    /// <param name="history">Where given, an authentic list that is older than one seen before is refused.</param>
    public void Check(X509Certificate2 issuer, DateTimeOffset at, string name, ReasonList reasons, CollateralLedger? history = null)
    {
        if (!issuer.SubjectName.RawData.AsSpan().SequenceEqual(_issuer.Span)) reasons.Refuse(AttestationCheck.Revocation, $"{name} is another issuer's");
        if (CertificateFields.Read(issuer.RawDataMemory) is not { Usages: { ListSign: true } }) reasons.Refuse(AttestationCheck.Revocation, $"{name}: its issuer is not for signing lists");
        var isAuthentic = _scheme is { } scheme && scheme.Holds(issuer, _signed.Span, _signature.Span);
        if (!isAuthentic) reasons.Refuse(AttestationCheck.Revocation, $"{name} is not signed by its issuer");
        if (at < ThisUpdate || at > NextUpdate) reasons.Refuse(AttestationCheck.Revocation, $"{name} is for {ThisUpdate:u} to {NextUpdate:u}");
        if (isAuthentic && history is not null && !history.See("crl " + Convert.ToHexStringLower(SHA256.HashData(issuer.RawDataMemory.Span)), Number, ThisUpdate))
            reasons.Refuse(AttestationCheck.Revocation, $"{name} is older than one seen before, or the ledger is full");
    }

    /// <summary>By serial number alone: the caller has checked that the list is of this certificate's issuer.</summary>
    public bool Lists(X509Certificate2 certificate) => _serials.Contains(Convert.ToHexStringLower(DerFields.Significant(certificate.SerialNumberBytes.Span)));

    private string? ReadOuter(ReadOnlyMemory<byte> der)
    {
        var outer = new AsnReader(der, AsnEncodingRules.DER);
        var list = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        _signed = list.ReadEncodedValue();
        var algorithm = list.ReadEncodedValue();
        _signature = DerFields.ReadWholeBits(list);
        list.ThrowIfNotEmpty();
        _scheme = SignatureScheme.Read(algorithm);
        return ReadSigned(algorithm);
    }

    private string? ReadSigned(ReadOnlyMemory<byte> algorithm)
    {
        var fields = new AsnReader(_signed, AsnEncodingRules.DER).ReadSequence();
        var isVersion2 = fields.PeekTag().HasSameClassAndValue(Asn1Tag.Integer);
        if (isVersion2 && (!fields.TryReadInt32(out var version) || version != 1)) return "has an unknown version";
        if (!fields.ReadEncodedValue().Span.SequenceEqual(algorithm.Span)) return "names two signature algorithms";
        _issuer = fields.ReadEncodedValue();
        ThisUpdate = DerFields.ReadTime(fields);
        if (!DerFields.NextIsTime(fields)) return "does not say until when it holds";
        NextUpdate = DerFields.ReadTime(fields);
        if (fields.HasData && fields.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence) && ReadEntries(fields.ReadSequence(), isVersion2) is { } flaw) return flaw;
        if (!fields.HasData) return null;
        if (!isVersion2) return "has extensions that its version does not have";
        var wrapped = fields.ReadSequence(DerFields.Context0);
        fields.ThrowIfNotEmpty();
        return ReadExtensions(wrapped);
    }

    private string? ReadEntries(AsnReader entries, bool isVersion2)
    {
        while (entries.HasData)
        {
            var entry = entries.ReadSequence();
            var serial = entry.ReadIntegerBytes();
            DerFields.ReadTime(entry);
            if (entry.HasData)
            {
                if (!isVersion2) return "has an entry with extensions";
                // A certificate issuer of its own (an indirect list) would be critical. Why a certificate is revoked changes nothing.
                if (DerFields.ReadExtensions(entry).Any(extension => extension.Value.IsCritical && extension.Key != ReasonIdentifier)) return "has an entry with a critical extension";
            }

            entry.ThrowIfNotEmpty();
            _serials.Add(Convert.ToHexStringLower(DerFields.Significant(serial.Span)));
        }

        return null;
    }

    // A list for a part of the certificates, or one of changes, says so in a critical extension.
    private string? ReadExtensions(AsnReader wrapped)
    {
        var extensions = DerFields.ReadExtensions(wrapped);
        wrapped.ThrowIfNotEmpty();
        if (extensions.Values.Any(extension => extension.IsCritical)) return "has a critical extension";
        if (!extensions.TryGetValue(NumberIdentifier, out var number)) return null;
        var reader = new AsnReader(number.Value, AsnEncodingRules.DER);
        Number = reader.ReadInteger();
        reader.ThrowIfNotEmpty();
        return Number.Sign < 0 ? "has a negative number" : null;
    }
}
