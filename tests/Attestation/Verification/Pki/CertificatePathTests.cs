using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Pki;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Pki;

public sealed class CertificatePathTests
{
    private static readonly Lazy<RSA[]> LargeKeys = new(() => [RSA.Create(4096), RSA.Create(4096)]);

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public void Path_OfAPinnedRoot_Holds(int count) => Assert.Empty(MockPath.Make(count).Check());

    [Fact]
    public void Path_OfLargeRsaKeysWithPss_Holds()
    {
        var path = MockPath.Make(3, NoUsage, i => i == 0 ? ECDsa.Create(ECCurve.NamedCurves.nistP384) : LargeKeys.Value[i - 1], KeyRule.Rsa4096Pss);
        Assert.Empty(path.With(path.Rules with { LeafHasKeyUsage = false }).Check());
    }

    [Fact]
    public void Path_OfLargeRsaKeysWithPkcs1_IsRefused() => OnlyChain(MockPath.Make(
        2, part => part.Padding = RSASignaturePadding.Pkcs1, i => i == 0 ? ECDsa.Create(ECCurve.NamedCurves.nistP384) : LargeKeys.Value[0], KeyRule.Rsa4096Pss).Check(), 2);

    [Fact]
    public void Path_OfSmallRsaKeys_HoldsByAnyAndNotByTheStrictRule()
    {
        var path = MockPath.Make(2, part => part.Hash = HashAlgorithmName.SHA256, _ => RSA.Create(2048), KeyRule.Any);
        Assert.Empty(path.Check());
        OnlyChain(path.With(path.Rules with { Keys = KeyRule.Rsa4096Pss }).Check(), 2);
    }

    [Fact]
    public void Path_OfTinyRsaKeys_IsRefused() => OnlyChain(MockPath.Make(2, null, i => i == 0 ? RSA.Create(1024) : RSA.Create(2048), KeyRule.Any).Check());

    [Fact]
    public void Path_OfSmallCurves_HoldsByTheirRuleAlone()
    {
        var path = MockPath.Make(3, part => part.Hash = HashAlgorithmName.SHA256, _ => ECDsa.Create(ECCurve.NamedCurves.nistP256), KeyRule.P256);
        Assert.Empty(path.Check());
        OnlyChain(path.With(path.Rules with { Keys = KeyRule.P384 }).Check(), 3);
    }

    [Fact]
    public void Leaf_OfAnotherCurve_IsRefused() =>
        OnlyChain(MockPath.Make(3, null, i => ECDsa.Create(i == 0 ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384)).Check());

    [Fact]
    public void Leaf_SignedWithAShorterHash_IsRefused() => OnlyChain(MockPath.Make(3, part => part.Hash = part.Index == 0 ? HashAlgorithmName.SHA256 : part.Hash).Check());

    [Fact]
    public void Path_OfAnotherRoot_IsRefusedAsRootAlone()
    {
        var path = MockPath.Make();
        var reason = Assert.Single(path.With(path.Rules with { Roots = [MockPath.Digest(MockPath.Make(1).Certificates[0])] }).Check());
        Assert.Equal(AttestationCheck.Root, reason.Check);
    }

    [Fact]
    public void Root_OfTheSameNameWithAnotherKey_IsRefused()
    {
        var (path, other) = (MockPath.Make(), MockPath.Make());
        var reasons = path.With([.. path.Certificates.Take(2), other.Certificates[2]]).Check();
        Assert.Contains(reasons, reason => reason.Check == AttestationCheck.Root);
        Assert.Contains(reasons, reason => reason.Check == AttestationCheck.Chain);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Certificate_SignedByAnotherKey_IsRefused(int index)
    {
        using var stranger = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        OnlyChain(MockPath.Make(3, part => part.Signer = part.Index == index ? stranger : part.Signer).Check());
    }

    [Fact]
    public void Certificate_OfAnIssuerWithAnotherName_IsRefused() => OnlyChain(MockPath.Make(3, part => part.IssuerName = part.Index == 0 ? "CN=another" : part.IssuerName).Check());

    [Fact]
    public void Path_InAnotherOrderOrWithOneMoreOrLess_IsRefused()
    {
        var path = MockPath.Make(4);
        var certificates = path.Certificates;
        Assert.NotEmpty(path.With([certificates[0], certificates[2], certificates[1], certificates[3]]).Check());
        Assert.NotEmpty(path.With([.. certificates.Reverse()]).Check());
        Assert.NotEmpty(path.With([certificates[0], certificates[2], certificates[3]]).Check());
        Assert.NotEmpty(path.With([certificates[0], certificates[1], certificates[1], certificates[2], certificates[3]]).Check());
        Assert.NotEmpty(path.With([certificates[0], certificates[1], certificates[2]]).Check());
        Assert.NotEmpty(path.With([certificates[0]]).Check());
        Assert.NotEmpty(path.With([certificates[3]]).Check());
        Assert.NotEmpty(path.With([]).Check());
    }

    [Fact]
    public void Path_LongerThanAllowed_IsRefused()
    {
        var path = MockPath.Make(4);
        Assert.Empty(path.With(path.Rules with { MostCertificates = 4 }).Check());
        OnlyChain(path.With(path.Rules with { MostCertificates = 3 }).Check());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Certificate_OutOfItsTime_IsRefusedAsTimeAlone(int index)
    {
        var path = MockPath.Make(3, part => (part.NotBefore, part.NotAfter) = part.Index == index ? (MockPath.At, MockPath.At) : (part.NotBefore, part.NotAfter));
        Assert.Empty(path.Check());
        Assert.Equal(AttestationCheck.ChainTime, Assert.Single(path.Check(MockPath.At.AddSeconds(1))).Check);
        Assert.Equal(AttestationCheck.ChainTime, Assert.Single(path.Check(MockPath.At.AddSeconds(-1))).Check);
    }

    [Fact]
    public void Leaf_ThatIsAnAuthority_IsRefused() => OnlyChain(MockPath.Make(3, part => part.IsAuthority = true).Check());

    [Fact]
    public void Issuer_ThatIsNoAuthority_IsRefused() => OnlyChain(MockPath.Make(3, part => part.IsAuthority = part.Index == 2).Check());

    [Fact]
    public void Issuer_WithATooShortPathLength_IsRefused()
    {
        Assert.Empty(MockPath.Make(4, part => part.PathLength = part.Index > 0 ? part.Index - 1 : null).Check());
        OnlyChain(MockPath.Make(4, part => part.PathLength = part.Index == 2 ? 0 : null).Check());
    }

    [Theory]
    [InlineData(X509KeyUsageFlags.CrlSign)]
    [InlineData(X509KeyUsageFlags.DigitalSignature)]
    [InlineData(null)]
    public void Issuer_NotForSigningCertificates_IsRefused(X509KeyUsageFlags? usages) => OnlyChain(MockPath.Make(3, part => part.Usages = part.Index == 1 ? usages : part.Usages).Check());

    [Theory]
    [InlineData(X509KeyUsageFlags.KeyAgreement)]
    [InlineData(null)]
    public void Leaf_NotForSignatures_IsRefusedUnlessTheRulesAllowIt(X509KeyUsageFlags? usages)
    {
        var path = MockPath.Make(3, part => part.Usages = part.Index == 0 ? usages : part.Usages);
        OnlyChain(path.Check());
        Assert.Empty(path.With(path.Rules with { LeafHasKeyUsage = false }).Check());
    }

    [Fact]
    public void Extension_CriticalAndUnknown_IsRefusedUnlessTheRulesKnowIt()
    {
        var path = MockPath.Make(3, part => AddExtension(part, 0, critical: true));
        OnlyChain(path.Check());
        Assert.Empty(path.With(path.Rules with { KnownExtensions = ["1.2.3.4.5"] }).Check());
        Assert.Empty(MockPath.Make(3, part => AddExtension(part, 0, critical: false)).Check());
    }

    [Fact]
    public void Certificate_OnTheDenyList_IsRefusedAsRevokedAlone()
    {
        var path = MockPath.Make();
        foreach (var index in (int[])[0, 1, 2])
        {
            using var certificate = path.Certificate(index);
            var entry = (MockPath.Digest(certificate.IssuerName.RawData), Convert.ToHexStringLower([(byte)(0x10 + index)]));
            Assert.Equal(AttestationCheck.Revoked, Assert.Single(path.With(path.Rules with { Denied = new DenyList([entry]) }).Check()).Check);
            Assert.Empty(path.With(path.Rules with { Denied = new DenyList([(entry.Item1, "99"), (MockPath.Digest(default), entry.Item2)]) }).Check());
        }
    }

    [Fact]
    public void Certificate_NotExactlyOne_IsRefusedAsEncodingAlone()
    {
        var path = MockPath.Make();
        var leaf = path.Certificates[0].ToArray();
        foreach (var spoilt in (byte[][])[[], [.. leaf, 0], leaf[..^1], new byte[8193], [0x30, 0x80, .. leaf.AsSpan(4), 0, 0], "-----BEGIN CERTIFICATE-----"u8.ToArray()])
            Assert.Equal(AttestationCheck.Encoding, Assert.Single(path.With([spoilt, .. path.Certificates.Skip(1)]).Check()).Check);
    }

    [Fact]
    public void Leaf_WithAnySingleBitFlipped_IsRefused()
    {
        var path = MockPath.Make();
        var random = new Random(1);
        var leaf = path.Certificates[0];
        var bits = Vectors.IsLong ? Enumerable.Range(0, 8 * leaf.Length) : Enumerable.Range(0, 400).Select(_ => random.Next(8 * leaf.Length));
        foreach (var bit in bits)
        {
            var flipped = leaf.ToArray();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.True(path.With([flipped, .. path.Certificates.Skip(1)]).Check().Count > 0, $"bit {bit}");
        }
    }

    [Fact]
    public void Fuzz_OfSpoiltCertificates_NeverThrowsNorHolds()
    {
        var path = MockPath.Make(2);
        var random = new Random(2);
        var inputs = Vectors.Inputs;
        for (var i = 0; i < inputs; i++)
            Assert.True(path.With([Spoiler.Spoil(path.Certificates[0].Span, random), path.Certificates[1]]).Check().Count > 0);
        Console.WriteLine($"certificates: {inputs} spoilt inputs");
    }

    [VectorTheory]
    [InlineData("snp", "azure-milan-v2.vcek.der", "ask-milan.der", "ark-milan.der", "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd")]
    [InlineData("snp", "ms-genoa-v3.vcek.der", "ask-genoa.der", "ark-genoa.der", "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1")]
    [InlineData("snp", "ms-turin-v5.vcek.der", "ask-turin.der", "ark-turin.der", "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a")]
    public void Path_OfAmd_Holds(string kind, string leaf, string intermediate, string root, string digest)
    {
        var rules = new PathRules { Keys = KeyRule.Rsa4096Pss, Roots = [digest], Denied = DenyList.Empty, LeafHasKeyUsage = false };
        var reasons = new ReasonList();
        var path = CertificatePath.Check(
            [Vectors.Read(kind, leaf), Vectors.Read(kind, "roots", intermediate), Vectors.Read(kind, "roots", root)], new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero), rules, reasons);
        Assert.Empty(reasons.All);
        Assert.Equal(3, path!.Length);
        // The caller's certificates are still usable after the platform's own verification.
        Assert.All(path, certificate => Assert.NotEmpty(certificate.GetPublicKey()));
    }

    private static void NoUsage(MockPart part) => part.Usages = part.Index == 0 ? null : part.Usages;

    private static void AddExtension(MockPart part, int index, bool critical)
    {
        if (part.Index == index) part.Extra.Add(new X509Extension("1.2.3.4.5", [5, 0], critical));
    }

    private static void OnlyChain(IReadOnlyList<AttestationReason> reasons, int count = 1) =>
        Assert.Equal(Enumerable.Repeat(AttestationCheck.Chain, count), reasons.Select(reason => reason.Check));
}
