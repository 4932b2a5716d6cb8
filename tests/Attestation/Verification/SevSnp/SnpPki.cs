using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Attestation.Verification.SevSnp;

namespace OpenGradient.Engine.Attestation.Tests.Verification.SevSnp;

/// <summary>What a mock leaf says. The defaults are those of a Genoa chip's key.</summary>
internal sealed record SnpLeaf
{
    public string CommonName { get; init; } = "SEV-VCEK";

    public string Product { get; init; } = "Genoa";

    public SnpTcb Tcb { get; init; } = new(0, 10, 0, 0x17, 0x54);

    /// <summary>The extension's bytes as they are.</summary>
    public byte[]? HwId { get; init; } = SnpScenario.Chip;

    public string? Provider { get; init; }

    /// <summary>The extension for Turin's first component.</summary>
    public bool HasFmc { get; init; }

    /// <summary>Last part of the number of a firmware version that the leaf lacks.</summary>
    public int? Without { get; init; }

    /// <summary>One more extension.</summary>
    public X509Extension? More { get; init; }
}

/// <summary>A root, intermediate and signing key of one product that are built like AMD's, with keys of this process.</summary>
internal sealed class SnpPki
{
    public static readonly DateTimeOffset From = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero), To = new(2032, 1, 1, 0, 0, 0, TimeSpan.Zero), At = new(2026, 6, 1, 0, 0, 0, TimeSpan.Zero);

    private const string Arc = "1.3.6.1.4.1.3704.1.";

    // Keys of 4,096 bits take seconds to find: one pair for all tests.
    private static readonly Lazy<RSA> _rootKey = new(() => RSA.Create(4096)), _issuerKey = new(() => RSA.Create(4096));

    private readonly X509Certificate2 _root, _issuer;

    public SnpPki(string product, string? issuer = null, bool isIssuerSigned = true)
    {
        _root = Authority(Name($"ARK-{product}"), _rootKey.Value, Name($"ARK-{product}"), _rootKey.Value, [1], X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, null);
        var signer = isIssuerSigned ? _rootKey.Value : _issuerKey.Value;
        _issuer = Authority(Name(issuer ?? $"SEV-{product}"), _issuerKey.Value, _root.SubjectName, signer, [1, 2], X509KeyUsageFlags.KeyCertSign, 0);
    }

    public static ECDsa LeafKey { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP384);

    public byte[] Root => _root.RawData;

    public byte[] Issuer => _issuer.RawData;

    public X500DistinguishedName IssuerOfLeaf => _issuer.SubjectName;

    public string RootDigest => Convert.ToHexStringLower(SHA256.HashData(_root.RawData));

    public byte[] Leaf(SnpLeaf leaf, AsymmetricAlgorithm? key = null)
    {
        var request = key is RSA rsa
            ? new CertificateRequest(Name(leaf.CommonName), rsa, HashAlgorithmName.SHA384, RSASignaturePadding.Pss)
            : new CertificateRequest(Name(leaf.CommonName), new PublicKey((ECDsa?)key ?? LeafKey), HashAlgorithmName.SHA384);
        Add(request, "1", Number(0));
        Add(request, "2", Text(leaf.Product));
        (int Index, byte Value)[] numbers = [(1, leaf.Tcb.BootLoader), (2, leaf.Tcb.Tee), (3, leaf.Tcb.Snp), (5, 0), (6, 0), (7, 0), (8, leaf.Tcb.Microcode)];
        foreach (var (index, value) in numbers)
        {
            if (leaf.Without != index) Add(request, $"3.{index}", Number(value));
        }

        if (leaf.HasFmc) Add(request, "3.9", Number(leaf.Tcb.Fmc));
        if (leaf.HwId is not null) Add(request, "4", leaf.HwId);
        if (leaf.Provider is not null) Add(request, "5", Text(leaf.Provider));
        if (leaf.More is not null) request.CertificateExtensions.Add(leaf.More);
        return request.Create(_issuer.SubjectName, Generator(_issuerKey.Value), From, To, [1]).RawData;
    }

    /// <summary>The root's list.</summary>
    /// <param name="isForeign">Signed by another key, under the root's name.</param>
    public byte[] RevocationList(bool listsIssuer = false, DateTimeOffset? until = null, bool isForeign = false)
    {
        var builder = new CertificateRevocationListBuilder();
        builder.AddEntry([0x77, 0x01], At.AddDays(-30));
        if (listsIssuer) builder.AddEntry(_issuer.SerialNumberBytes.Span, At.AddDays(-2));
        var key = X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier([1, 2, 3, 4]);
        return builder.Build(_root.SubjectName, Generator(isForeign ? _issuerKey.Value : _rootKey.Value), BigInteger.One, until ?? At.AddDays(30), HashAlgorithmName.SHA384, key, At.AddDays(-60));
    }

    public static byte[] Number(int value)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteInteger(value);
        return writer.Encode();
    }

    public static X509Extension Extension(string lastPart, byte[] value) => new(new Oid(Arc + lastPart), value, critical: false);

    private static X500DistinguishedName Name(string commonName) => new($"CN={commonName}, O=Mock Micro Devices");

    private static X509Certificate2 Authority(X500DistinguishedName name, RSA key, X500DistinguishedName issuer, RSA signer, byte[] serial, X509KeyUsageFlags usages, int? pathLength)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA384, RSASignaturePadding.Pss);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, pathLength is not null, pathLength ?? 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(usages, true));
        return request.Create(issuer, Generator(signer), From, To, serial);
    }

    private static X509SignatureGenerator Generator(RSA key) => X509SignatureGenerator.CreateForRSA(key, RSASignaturePadding.Pss);

    private static void Add(CertificateRequest request, string lastPart, byte[] value) => request.CertificateExtensions.Add(Extension(lastPart, value));

    private static byte[] Text(string text)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteCharacterString(UniversalTagNumber.IA5String, text);
        return writer.Encode();
    }
}
