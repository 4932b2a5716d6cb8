using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Attestation.Tests.Verification.Nitro;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Nvidia;
using OpenGradient.Engine.Attestation.Verification.Pki;
using OpenGradient.Engine.Attestation.Verification.Policy;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nvidia;

/// <summary>One check fails at a time; whatever has to be signed again for that is.</summary>
public sealed class NvidiaVerifierTests
{
    private static AttestationResult Verify(MockDevice device, NvidiaPolicy? policy = null, string? chain = null) =>
        NvidiaVerifier.Verify(device.Report(), MockDevice.Context(policy, chain));

    private static string ChainOf(MockCertificate leaf) => MockDevice.Pem(leaf, MockDevice.Boot, MockDevice.Maker, MockDevice.Root);

    [Fact]
    public void Verify_RightReport_IsAcceptedWithItsClaims()
    {
        var claims = Judged.Accepted(Verify(MockDevice.Right)).Claims!;
        Assert.Equal(("nvidia", "GH100", "48b02df44660da06"), (claims.Kind, claims.Product, claims.Chip));
        Assert.Equal(Convert.ToHexStringLower(MockDevice.Digest(64)), claims.Measurements["block64"]);
        Assert.Equal("driver 590.12, firmware 00a50096", claims.Tcb);
        Assert.Equal(MockDevice.Nonce, claims.Nonce.ToArray());
    }

    [Fact]
    public void Verify_DefaultPolicy_IsUnverifiableWithoutManifestsAndRevocation()
    {
        var policy = new NvidiaPolicy { Roots = MockDevice.Policy.Roots };
        Judged.UnverifiableFor(AttestationCheck.Collateral, Verify(MockDevice.Right, policy with { RequireRevocation = false }));
        Judged.UnverifiableFor(AttestationCheck.Revocation, Verify(MockDevice.Right, policy with { RequireManifests = false }));
        Assert.Equal(
            [AttestationCheck.Collateral, AttestationCheck.Collateral, AttestationCheck.Revocation], Verify(MockDevice.Right, policy).Reasons.Select(reason => reason.Check));
    }

    [Fact]
    public void Verify_PolicyWithoutNvidia_IsRefusedForItsKind() =>
        Judged.RefusedFor(AttestationCheck.Kind, NvidiaVerifier.Verify(MockDevice.Right.Report(), MockDevice.Context() with { Policy = new EvidencePolicy() }));

    [Fact]
    public void Verify_LargeReport_IsRefusedForItsSizeAlone() =>
        Judged.RefusedFor(AttestationCheck.Size, NvidiaVerifier.Verify(new byte[32 * 1024 + 1], MockDevice.Context()));

    [Fact]
    public void Verify_ChainMissing_IsUnverifiable() => Judged.UnverifiableFor(
        AttestationCheck.Collateral, NvidiaVerifier.Verify(MockDevice.Right.Report(), MockDevice.Context() with { Collateral = new Dictionary<string, ReadOnlyMemory<byte>>() }));

    [Theory]
    [InlineData("")]
    [InlineData("no certificate")]
    [InlineData("-----BEGIN CERTIFICATE-----\n")]
    [InlineData("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n")]
    [InlineData("-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n")]
    [InlineData("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")]
    public void Verify_ChainOfAnotherForm_IsRefusedForItsEncoding(string chain) => Judged.RefusedFor(AttestationCheck.Encoding, Verify(MockDevice.Right, chain: chain));

    [Fact]
    public void Verify_ChainWithOtherTextOrTooManyCertificates_IsRefusedForItsEncoding()
    {
        var chain = ChainOf(MockDevice.Leaf);
        Judged.RefusedFor(AttestationCheck.Encoding, Verify(MockDevice.Right, chain: $"# chain\n{chain}"));
        Judged.RefusedFor(AttestationCheck.Encoding, Verify(MockDevice.Right, chain: $"{chain}\n{chain}\n{chain}"));
        Judged.RefusedFor(AttestationCheck.Size, Verify(MockDevice.Right, chain: chain + new string('\n', 32 * 1024)));
    }

    [Fact]
    public void Verify_OtherKeysSignature_IsRefusedForTheSignatureAndClaimsNothing()
    {
        var other = MockDevice.Boot.Issue("GH100", MockDevice.Shape("NVIDIA:GH100:48B02DF44660DA06", MockDevice.Identity(MockDevice.FirmwareId)));
        Assert.Null(Judged.RefusedFor(AttestationCheck.Signature, Verify(MockDevice.Right with { Signer = other })).Claims);
    }

    [Fact]
    public void Verify_OtherRoot_IsRefusedForTheRoot() =>
        Judged.RefusedFor(AttestationCheck.Root, Verify(MockDevice.Right, MockDevice.Policy with { Roots = [NvidiaPolicy.DeviceRoot] }));

    [Fact]
    public void Verify_IssuerMissing_IsRefusedForTheChain() =>
        Judged.RefusedFor(AttestationCheck.Chain, Verify(MockDevice.Right, chain: MockDevice.Pem(MockDevice.Leaf, MockDevice.Boot, MockDevice.Root)));

    [Fact]
    public void Verify_ExpiredLeaf_IsRefusedForTheChainsTime()
    {
        var shape = MockDevice.Shape("NVIDIA:GH100:48B02DF44660DA06", MockDevice.Identity(MockDevice.FirmwareId));
        var leaf = MockDevice.Boot.Issue("GH100", shape with { Until = MockDevice.At.AddSeconds(-1) });
        Judged.RefusedFor(AttestationCheck.ChainTime, Verify(MockDevice.Right with { Signer = leaf }, chain: ChainOf(leaf)));
    }

    [Fact]
    public void Verify_DeniedDevice_IsRefusedAsRevoked()
    {
        using var leaf = X509CertificateLoader.LoadCertificate(MockDevice.Leaf.Der);
        var denied = new DenyList([(Convert.ToHexStringLower(SHA256.HashData(leaf.IssuerName.RawData)), Convert.ToHexStringLower(leaf.SerialNumberBytes.Span))]);
        var context = MockDevice.Context();
        Judged.RefusedFor(AttestationCheck.Revoked, NvidiaVerifier.Verify(MockDevice.Right.Report(), context with { Policy = context.Policy with { Denied = denied } }));
    }

    [Theory]
    [InlineData("NVIDIA:LS_10:48B02DFE0092CDDB")]
    [InlineData("NVIDIA:GH100")]
    [InlineData("OTHER:GH100:48B02DF44660DA06")]
    [InlineData("NVIDIA:GH100:48B0:2DF4")]
    [InlineData("NVIDIA:GH\u001b100:48B0")]
    public void Verify_OtherDevice_IsRefusedForThePlatform(string name)
    {
        var leaf = MockDevice.Boot.Issue("device", MockDevice.Shape(name, MockDevice.Identity(MockDevice.FirmwareId)));
        Judged.RefusedFor(AttestationCheck.Platform, Verify(MockDevice.Right with { Signer = leaf }, chain: ChainOf(leaf)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Verify_FirmwareIdentity_MustBeTheCertificates(bool blackwell)
    {
        AttestationResult With(byte[] firmware)
        {
            var leaf = MockDevice.Boot.Issue("GH100", MockDevice.Shape("NVIDIA:GH100:48B0", blackwell ? MockDevice.TcbInfo(firmware) : MockDevice.Identity(firmware)));
            return Verify(MockDevice.Right with { Signer = leaf }, chain: ChainOf(leaf));
        }

        Judged.Accepted(With(MockDevice.FirmwareId));
        Judged.RefusedFor(AttestationCheck.Key, With(new byte[48]));
    }

    [Fact]
    public void Verify_FirmwareIdentityWithoutOneInTheCertificate_IsRefusedForTheKey()
    {
        var leaf = MockDevice.Boot.Issue("GH100", MockDevice.Shape("NVIDIA:GH100:48B0", null));
        Judged.RefusedFor(AttestationCheck.Key, Verify(MockDevice.Right with { Signer = leaf }, chain: ChainOf(leaf)));
        Judged.Accepted(Verify(MockDevice.Right with { Signer = leaf, Opaque = [(3, "535.86.09"u8.ToArray())] }, chain: ChainOf(leaf)));
    }

    [Fact]
    public void Verify_VersionsThatThePolicyDoesNotName_AreRefusedForTheTcb()
    {
        Judged.Accepted(Verify(MockDevice.Right, MockDevice.Policy with { Drivers = ["590.12"], Firmware = ["00a50096"] }));
        Judged.RefusedFor(AttestationCheck.Tcb, Verify(MockDevice.Right, MockDevice.Policy with { Drivers = ["590.13"] }));
        Judged.RefusedFor(AttestationCheck.Tcb, Verify(MockDevice.Right, MockDevice.Policy with { Firmware = ["00a50097"] }));
        Judged.RefusedFor(AttestationCheck.Tcb, Verify(MockDevice.Right with { Opaque = [] }, MockDevice.Policy with { Drivers = ["590.12"] }));
    }

    [Fact]
    public void Verify_MeasurementThatThePolicyDoesNotName_IsRefused()
    {
        NvidiaPolicy Naming(int index, byte[] digest) => MockDevice.Policy with { Measurements = new Dictionary<int, IReadOnlyList<string>> { [index] = [Convert.ToHexStringLower(digest)] } };
        Judged.Accepted(Verify(MockDevice.Right, Naming(7, MockDevice.Digest(7))));
        Judged.RefusedFor(AttestationCheck.Measurement, Verify(MockDevice.Right, Naming(7, MockDevice.Digest(8))));
        Judged.RefusedFor(AttestationCheck.Measurement, Verify(MockDevice.Right, Naming(65, MockDevice.Digest(65))));
    }

    [Fact]
    public void Verify_OtherNonce_IsRefusedForTheNonce() =>
        Judged.RefusedFor(AttestationCheck.Nonce, Verify(MockDevice.Right with { Request = [0x11, 0xE0, 0x01, 0xFF, .. new byte[32], 0] }));

    [Fact]
    public void Verify_OtherReportData_IsRefusedForTheReportData() => Judged.RefusedFor(
        AttestationCheck.ReportData, NvidiaVerifier.Verify(MockDevice.Right.Report(), MockDevice.Context() with { ReportData = new byte[64] }));
}
