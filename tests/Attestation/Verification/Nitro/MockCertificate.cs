using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nitro;

/// <summary>A certificate of a root that exists only in a test, with its key. P-384 and SHA-384 unless a test asks for less.</summary>
internal sealed record MockCertificate(string Name, ECDsa Key, byte[] Der)
{
    public static readonly DateTimeOffset From = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), Until = new(2026, 2, 1, 0, 0, 0, TimeSpan.Zero);

    private static int _serial;

    public string Digest => Convert.ToHexStringLower(SHA256.HashData(Der));

    public static MockCertificate Root(string name) => Issue(name, null, MockShape.Authority(null));

    public MockCertificate Issue(string name, MockShape shape) => Issue(name, this, shape);

    private static MockCertificate Issue(string name, MockCertificate? issuer, MockShape shape)
    {
        var key = ECDsa.Create(shape.Curve);
        var subject = new X500DistinguishedName($"CN={name}");
        var request = new CertificateRequest(subject, key, shape.Hash);
        if (shape.IsAuthority is { } authority)
            request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, shape.PathLength is not null, shape.PathLength ?? 0, true));
        if (shape.Usage != X509KeyUsageFlags.None) request.CertificateExtensions.Add(new X509KeyUsageExtension(shape.Usage, true));
        foreach (var extension in shape.Extensions) request.CertificateExtensions.Add(extension);
        var issuerName = issuer is null ? subject : new X500DistinguishedName($"CN={issuer.Name}");
        var serial = new byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(serial, 0x0100_0000_0000_0000 + Interlocked.Increment(ref _serial));
        using var certificate = request.Create(issuerName, X509SignatureGenerator.CreateForECDsa(issuer?.Key ?? key), shape.From, shape.Until, serial);
        return new MockCertificate(name, key, certificate.RawData);
    }
}

/// <summary>What a certificate may do. The defaults are right; a test spoils one.</summary>
internal sealed record MockShape
{
    public bool? IsAuthority { get; init; }

    public int? PathLength { get; init; }

    public X509KeyUsageFlags Usage { get; init; }

    public ECCurve Curve { get; init; } = ECCurve.NamedCurves.nistP384;

    public HashAlgorithmName Hash { get; init; } = HashAlgorithmName.SHA384;

    public DateTimeOffset From { get; init; } = MockCertificate.From;

    public DateTimeOffset Until { get; init; } = MockCertificate.Until;

    public IReadOnlyList<X509Extension> Extensions { get; init; } = [];

    public static MockShape Authority(int? pathLength) => new() { IsAuthority = true, PathLength = pathLength, Usage = X509KeyUsageFlags.KeyCertSign };

    public static MockShape Leaf => new() { IsAuthority = false, Usage = X509KeyUsageFlags.DigitalSignature };
}
