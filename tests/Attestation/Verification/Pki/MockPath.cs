using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Pki;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Pki;

/// <summary>One certificate before it is signed; a test spoils what it wants.</summary>
internal sealed class MockPart
{
    public required int Index { get; init; }

    public required AsymmetricAlgorithm Key { get; set; }

    /// <summary>Who signs: the next one's key, the root's own.</summary>
    public required AsymmetricAlgorithm Signer { get; set; }

    public required string Name { get; set; }

    public required string IssuerName { get; set; }

    public DateTimeOffset NotBefore { get; set; } = MockPath.Start;

    public DateTimeOffset NotAfter { get; set; } = MockPath.End;

    public byte[] Serial { get; set; } = [0];

    public HashAlgorithmName Hash { get; set; } = HashAlgorithmName.SHA384;

    public RSASignaturePadding Padding { get; set; } = RSASignaturePadding.Pss;

    public bool IsAuthority { get; set; }

    public int? PathLength { get; set; }

    public X509KeyUsageFlags? Usages { get; set; }

    public List<X509Extension> Extra { get; } = [];

    public byte[] Sign()
    {
        var name = new X500DistinguishedName(Name);
        var request = Key is RSA rsa ? new CertificateRequest(name, rsa, Hash, Padding) : new CertificateRequest(name, (ECDsa)Key, Hash);
        if (IsAuthority) request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, PathLength is not null, PathLength ?? 0, true));
        if (Usages is { } usages) request.CertificateExtensions.Add(new X509KeyUsageExtension(usages, true));
        foreach (var extension in Extra) request.CertificateExtensions.Add(extension);
        var generator = Signer is RSA signer ? X509SignatureGenerator.CreateForRSA(signer, Padding) : X509SignatureGenerator.CreateForECDsa((ECDsa)Signer);
        using var certificate = request.Create(new X500DistinguishedName(IssuerName), generator, NotBefore, NotAfter, Serial);
        return certificate.RawData;
    }
}

/// <summary>A path of a test's own root, with the rules that accept it.</summary>
internal sealed class MockPath
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    public static readonly DateTimeOffset End = new(2026, 12, 31, 0, 0, 0, TimeSpan.Zero);
    public static readonly DateTimeOffset At = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    private MockPath(IReadOnlyList<ReadOnlyMemory<byte>> certificates, AsymmetricAlgorithm[] keys, PathRules rules) => (Certificates, Keys, Rules) = (certificates, keys, rules);

    public IReadOnlyList<ReadOnlyMemory<byte>> Certificates { get; private init; }

    public AsymmetricAlgorithm[] Keys { get; }

    public PathRules Rules { get; private init; }

    public static MockPath Make(int count = 3, Action<MockPart>? edit = null, Func<int, AsymmetricAlgorithm>? keyOf = null, KeyRule rule = KeyRule.P384)
    {
        var keys = Enumerable.Range(0, count).Select(keyOf ?? (_ => ECDsa.Create(ECCurve.NamedCurves.nistP384))).ToArray();
        var certificates = new ReadOnlyMemory<byte>[count];
        for (var i = 0; i < count; i++)
        {
            var issuer = Math.Min(i + 1, count - 1);
            var part = new MockPart
            {
                Index = i, Key = keys[i], Signer = keys[issuer], Name = NameOf(i), IssuerName = NameOf(issuer), Serial = [(byte)(0x10 + i)], IsAuthority = i > 0,
                Usages = i > 0 ? X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign : X509KeyUsageFlags.DigitalSignature,
            };
            edit?.Invoke(part);
            certificates[i] = part.Sign();
        }

        return new MockPath(certificates, keys, new PathRules { Keys = rule, Roots = [Digest(certificates[^1])], Denied = DenyList.Empty });
    }

    public static string NameOf(int index) => $"CN=mock {index}, O=Mock";

    public static string Digest(ReadOnlyMemory<byte> der) => Convert.ToHexStringLower(SHA256.HashData(der.Span));

    public MockPath With(IReadOnlyList<ReadOnlyMemory<byte>> certificates) => new(certificates, Keys, Rules);

    public MockPath With(PathRules rules) => new(Certificates, Keys, rules);

    public IReadOnlyList<AttestationReason> Check(DateTimeOffset? at = null)
    {
        var reasons = new ReasonList();
        var certificates = CertificatePath.Check(Certificates, at ?? At, Rules, reasons);
        foreach (var certificate in certificates ?? []) certificate.Dispose();
        Assert.True(certificates is not null || !reasons.IsEmpty);
        return reasons.All;
    }

    public X509Certificate2 Certificate(int index) => X509CertificateLoader.LoadCertificate(Certificates[index].Span);
}
