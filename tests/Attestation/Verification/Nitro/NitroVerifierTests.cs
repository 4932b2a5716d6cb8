using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Nitro;
using OpenGradient.Engine.Attestation.Verification.Pki;
using OpenGradient.Engine.Attestation.Verification.Policy;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nitro;

/// <summary>One check fails at a time; whatever has to be signed again for that is.</summary>
public sealed class NitroVerifierTests
{
    private static AttestationResult Verify(MockEnclave enclave, NitroPolicy? policy = null, DateTimeOffset? at = null) =>
        NitroVerifier.Verify(enclave.Document(), MockEnclave.Context(policy, at));

    private static byte[] Time(DateTimeOffset at) => CborBytes.Number((ulong)at.ToUnixTimeMilliseconds());

    [Fact]
    public void Verify_RightDocument_IsAcceptedWithItsClaims()
    {
        var claims = Judged.Accepted(Verify(MockEnclave.Right.With("public_key", CborBytes.Bytes([1, 2, 3])))).Claims!;
        Assert.Equal("nitro", claims.Kind);
        Assert.Equal(Convert.ToHexStringLower(MockEnclave.Pcr(15)), claims.Measurements["pcr15"]);
        Assert.Equal([1, 2, 3], claims.PublicKey.ToArray());
        Assert.Equal(MockEnclave.At, claims.Time);
        Assert.Equal(MockEnclave.UserData, claims.ReportData.ToArray());
        Assert.Equal(MockEnclave.Nonce, claims.Nonce.ToArray());
        Assert.Equal("i-0123456789abcdef0-enc0123456789abcdef", claims.Chip);
        Assert.False(claims.IsDebug);
    }

    [Fact]
    public void Verify_PolicyWithoutNitro_IsRefusedForItsKind() =>
        Judged.RefusedFor(AttestationCheck.Kind, NitroVerifier.Verify(MockEnclave.Right.Document(), MockEnclave.Context() with { Policy = new EvidencePolicy() }));

    [Fact]
    public void Verify_SixteenKibibytesAndOne_IsRefusedForItsSizeAlone() =>
        Judged.RefusedFor(AttestationCheck.Size, NitroVerifier.Verify(new byte[NitroVerifier.LargestEvidence + 1], MockEnclave.Context()));

    [Fact]
    public void Verify_OtherKeysSignature_IsRefusedForTheSignatureAndClaimsNothing()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var result = Judged.RefusedFor(AttestationCheck.Signature, Verify(MockEnclave.Right with { Key = other }));
        Assert.Null(result.Claims);
    }

    [Fact]
    public void Verify_SecondSignatureOverTheSamePayload_HasTheSameIdentity()
    {
        var first = Judged.Accepted(Verify(MockEnclave.Right));
        var second = Judged.Accepted(Verify(MockEnclave.Right));
        Assert.Equal(first.Identity, second.Identity);
        Assert.True(first.Claims!.PublicKey.IsEmpty);
    }

    [Fact]
    public void Verify_OtherRoot_IsRefusedForTheRoot()
    {
        var result = Judged.RefusedFor(AttestationCheck.Root, Verify(MockEnclave.Right, MockEnclave.Policy with { Roots = [NitroPolicy.AwsRoot] }));
        Assert.Null(result.Claims);
    }

    [Fact]
    public void Verify_RootOfTheSameNameInTheBundle_IsRefused()
    {
        var twin = MockCertificate.Root(MockEnclave.Root.Name);
        var result = Verify(MockEnclave.Right.With("cabundle", MockEnclave.Bundle(twin, MockEnclave.Zone, MockEnclave.Instance)));
        Judged.RefusedAlsoFor(AttestationCheck.Root, result);
    }

    [Fact]
    public void Verify_LeafNotSignedByItsIssuer_IsRefusedForTheChain()
    {
        var twin = MockEnclave.Zone.Issue(MockEnclave.Instance.Name, MockShape.Authority(0)).Issue("enclave", MockShape.Leaf);
        Judged.RefusedFor(AttestationCheck.Chain, Verify(MockEnclave.Right.Under(twin)));
    }

    [Fact]
    public void Verify_BundleFromTheLeaf_IsRefused() =>
        Judged.RefusedAlsoFor(AttestationCheck.Chain, Verify(MockEnclave.Right.With("cabundle", MockEnclave.Bundle(MockEnclave.Instance, MockEnclave.Zone, MockEnclave.Root))));

    [Fact]
    public void Verify_BundleWithOneTooMany_IsRefusedForTheChain()
    {
        var extra = MockEnclave.Bundle(MockEnclave.Root, MockEnclave.Zone, MockEnclave.Zone, MockEnclave.Instance);
        Judged.RefusedFor(AttestationCheck.Chain, Verify(MockEnclave.Right.With("cabundle", extra)));
    }

    [Fact]
    public void Verify_BundleWithOneMissing_IsRefusedForTheChain() =>
        Judged.RefusedFor(AttestationCheck.Chain, Verify(MockEnclave.Right.With("cabundle", MockEnclave.Bundle(MockEnclave.Root, MockEnclave.Instance))));

    public static TheoryData<string> SpoiledLeaves => ["authority", "no key usage", "wrong key usage", "P-256", "SHA-256"];

    [Theory, MemberData(nameof(SpoiledLeaves))]
    public void Verify_LeafThatMayNotSignDocuments_IsRefusedForTheChain(string how)
    {
        var right = MockShape.Leaf;
        var leaf = how switch
        {
            "authority" => MockEnclave.Zone.Issue("enclave", MockShape.Authority(0) with { Usage = X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign }),
            "no key usage" => MockEnclave.Instance.Issue("enclave", right with { Usage = X509KeyUsageFlags.None }),
            "wrong key usage" => MockEnclave.Instance.Issue("enclave", right with { Usage = X509KeyUsageFlags.NonRepudiation }),
            "P-256" => MockEnclave.Instance.Issue("enclave", right with { Curve = ECCurve.NamedCurves.nistP256 }),
            _ => MockEnclave.Instance.Issue("enclave", right with { Hash = HashAlgorithmName.SHA256 }),
        };
        var bundle = how == "authority" ? new[] { MockEnclave.Root, MockEnclave.Zone } : [];
        var enclave = MockEnclave.Right.Under(leaf, bundle);
        var result = how == "P-256" ? NitroVerifier.Verify(MockEnclave.Envelope(enclave.Payload, new byte[96]), MockEnclave.Context()) : Verify(enclave);
        Judged.RefusedAlsoFor(AttestationCheck.Chain, result);
        if (how != "P-256") Judged.RefusedFor(AttestationCheck.Chain, result);
    }

    [Fact]
    public void Verify_EnclavesCertificateAsAnIssuer_IsRefusedForTheChain()
    {
        var second = MockEnclave.Leaf.Issue("enclave 2", MockShape.Leaf);
        var bundle = new[] { MockEnclave.Root, MockEnclave.Zone, MockEnclave.Instance, MockEnclave.Leaf };
        Judged.RefusedFor(AttestationCheck.Chain, Verify(MockEnclave.Right.Under(second, bundle)));
    }

    [Fact]
    public void Verify_PathLongerThanAnIssuerAllows_IsRefusedForTheChain()
    {
        var deeper = MockEnclave.Instance.Issue("deeper", MockShape.Authority(null));
        var leaf = deeper.Issue("enclave", MockShape.Leaf);
        Judged.RefusedFor(AttestationCheck.Chain, Verify(MockEnclave.Right.Under(leaf, MockEnclave.Root, MockEnclave.Zone, MockEnclave.Instance, deeper)));
    }

    [Fact]
    public void Verify_CertificateThatIsNone_IsRefusedForItsEncoding() =>
        Judged.RefusedFor(AttestationCheck.Encoding, Verify(MockEnclave.Right.With("certificate", CborBytes.Bytes([0x30, 0x00]))));

    [Fact]
    public void Verify_ExpiredLeaf_IsRefusedForTheChainsTime()
    {
        var leaf = MockEnclave.Instance.Issue("enclave", MockShape.Leaf with { Until = MockEnclave.At.AddMinutes(-1) });
        Judged.RefusedFor(AttestationCheck.ChainTime, Verify(MockEnclave.Right.Under(leaf).With("timestamp", Time(MockEnclave.At.AddMinutes(-2)))));
    }

    [Fact]
    public void Verify_ExpiredIssuer_IsRefusedForTheChainsTime()
    {
        var instance = MockEnclave.Zone.Issue("instance", MockShape.Authority(0) with { Until = MockEnclave.At.AddSeconds(-1) });
        Judged.RefusedFor(AttestationCheck.ChainTime, Verify(MockEnclave.Right.Under(instance.Issue("enclave", MockShape.Leaf), MockEnclave.Root, MockEnclave.Zone, instance)));
    }

    [Fact]
    public void Verify_DeniedIssuer_IsRefusedAsRevoked()
    {
        using var zone = X509CertificateLoader.LoadCertificate(MockEnclave.Zone.Der);
        var denied = new DenyList([(Convert.ToHexStringLower(SHA256.HashData(zone.IssuerName.RawData)), Convert.ToHexStringLower(zone.SerialNumberBytes.Span))]);
        var context = MockEnclave.Context();
        Judged.RefusedFor(AttestationCheck.Revoked, NitroVerifier.Verify(MockEnclave.Right.Document(), context with { Policy = context.Policy with { Denied = denied } }));
    }

    [Fact]
    public void Verify_MadeBeforeItsCertificate_IsRefusedForItsTime()
    {
        var leaf = MockEnclave.Instance.Issue("enclave", MockShape.Leaf with { From = MockEnclave.At.AddMinutes(-1) });
        Judged.RefusedFor(AttestationCheck.Time, Verify(MockEnclave.Right.Under(leaf).With("timestamp", Time(MockEnclave.At.AddMinutes(-2)))));
    }

    [Theory]
    [InlineData(5_000, true)]
    [InlineData(5_001, false)]
    [InlineData(-300_000, true)]
    [InlineData(-300_001, false)]
    public void Verify_MadeAtADistance_IsAcceptedUpToThePolicysBounds(int milliseconds, bool accepted)
    {
        var result = Verify(MockEnclave.Right.With("timestamp", Time(MockEnclave.At.AddMilliseconds(milliseconds))));
        if (accepted) Judged.Accepted(result);
        else Judged.RefusedFor(AttestationCheck.Time, result);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Verify_OtherImage_IsRefusedForTheMeasurement(int index) =>
        Judged.RefusedFor(AttestationCheck.Measurement, Verify(MockEnclave.Right.With("pcrs", MockEnclave.PcrsWith((index, MockEnclave.Pcr(99))))));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Verify_PcrOfTheImageMissing_IsRefusedForTheMeasurement(int index) =>
        Judged.RefusedFor(AttestationCheck.Measurement, Verify(MockEnclave.Right.With("pcrs", MockEnclave.PcrsWith((index, null)))));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Verify_NamedPcrOfTheSigner_MustStandInTheDocument(bool missing)
    {
        var policy = Naming(8, Convert.ToHexStringLower(MockEnclave.Pcr(8)));
        Judged.Accepted(Verify(MockEnclave.Right, policy));
        var pcrs = MockEnclave.PcrsWith((8, missing ? null : MockEnclave.Pcr(9)));
        Judged.RefusedFor(AttestationCheck.Measurement, Verify(MockEnclave.Right.With("pcrs", pcrs), policy));
    }

    [Fact]
    public void Verify_NamedPcrOfZeros_IsRefusedForTheMeasurement() => Judged.RefusedFor(
        AttestationCheck.Measurement, Verify(MockEnclave.Right.With("pcrs", MockEnclave.PcrsWith((8, new byte[48]))), Naming(8, new string('0', 96))));

    [Fact]
    public void Verify_PolicyThatNamesNoImage_IsUnverifiable()
    {
        var policy = MockEnclave.Policy with { Pcrs = new Dictionary<int, IReadOnlyList<string>>() };
        Judged.UnverifiableFor(AttestationCheck.Measurement, Verify(MockEnclave.Right, policy));
        Judged.Accepted(Verify(MockEnclave.Right, policy with { RequireMeasurements = false }));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Verify_DebugEnclave_IsRefusedUnlessThePolicyAllowsIt(int index)
    {
        var enclave = MockEnclave.Right.With("pcrs", MockEnclave.PcrsWith((index, new byte[48])));
        var policy = Naming(index, new string('0', 96));
        var result = Verify(enclave, policy);
        Judged.RefusedAlsoFor(AttestationCheck.Debug, result);
        Judged.RefusedFor(AttestationCheck.Debug, Verify(enclave, policy with { Pcrs = new Dictionary<int, IReadOnlyList<string>>(), RequireMeasurements = false }));
        Assert.True(Judged.Accepted(Verify(enclave, policy with { AllowDebug = true })).Claims!.IsDebug);
    }

    [Theory]
    [InlineData("other")]
    [InlineData("longer")]
    [InlineData("null")]
    [InlineData("missing")]
    public void Verify_OtherNonce_IsRefusedForTheNonce(string how) => Judged.RefusedFor(AttestationCheck.Nonce, Verify(Unlike("nonce", MockEnclave.Nonce, how)));

    [Theory]
    [InlineData("other")]
    [InlineData("longer")]
    [InlineData("null")]
    [InlineData("missing")]
    public void Verify_OtherUserData_IsRefusedForTheReportData(string how) =>
        Judged.RefusedFor(AttestationCheck.ReportData, Verify(Unlike("user_data", MockEnclave.UserData, how)));

    [Fact]
    public void Verify_NothingExpectedWhereTheFieldIsNull_IsRefused()
    {
        var context = MockEnclave.Context() with { Nonce = ReadOnlyMemory<byte>.Empty };
        Judged.RefusedFor(AttestationCheck.Nonce, NitroVerifier.Verify(MockEnclave.Right.With("nonce", CborBytes.Null).Document(), context));
        Judged.Accepted(NitroVerifier.Verify(MockEnclave.Right.With("nonce", CborBytes.Bytes([])).Document(), context));
    }

    [Fact]
    public void Verify_NothingAskedFor_AcceptsADocumentThatBindsNothing() => Judged.Accepted(NitroVerifier.Verify(
        MockEnclave.Right.Without("nonce").Without("user_data").Without("public_key").Document(), MockEnclave.Context() with { Nonce = null, ReportData = null }));

    private static MockEnclave Unlike(string name, byte[] value, string how) => how switch
    {
        "other" => MockEnclave.Right.With(name, CborBytes.Bytes([.. value[..^1], (byte)(value[^1] ^ 1)])),
        "longer" => MockEnclave.Right.With(name, CborBytes.Bytes([.. value, 0])),
        "null" => MockEnclave.Right.With(name, CborBytes.Null),
        _ => MockEnclave.Right.Without(name),
    };

    private static NitroPolicy Naming(int index, string value) =>
        MockEnclave.Policy with { Pcrs = new Dictionary<int, IReadOnlyList<string>>(MockEnclave.Policy.Pcrs) { [index] = [value] } };
}
