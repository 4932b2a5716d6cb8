using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Attestation.Tests.Verification.Nitro;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Nvidia;
using OpenGradient.Engine.Attestation.Verification.Pki;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nvidia;

/// <summary>Reference manifests that are rightly signed, under a policy as strict as the default; one thing is wrong at a time.</summary>
public sealed class NvidiaManifestTests
{
    private static readonly MockManifest Driver = MockVendor.RightDriver;

    // What these tests spoil is the manifest; the signer of another path has no answer.
    private static readonly NvidiaPolicy WithoutAnswers = MockVendor.Policy with { RequireRevocation = false };

    private static AttestationResult WithDriver(MockManifest driver, MockDevice? device = null, NvidiaPolicy? policy = null) =>
        (MockVendor.Right with { Driver = driver.Bytes() }).Verify(policy, device);

    private static MockManifest Naming(params MockResource[] resources) => Driver with { Resources = resources };

    [Fact]
    public void Verify_WithManifestsAndAnswersUnderTheStrictPolicy_IsAccepted() => Judged.Accepted(MockVendor.Right.Verify());

    [Fact]
    public void Verify_ManifestMissing_IsUnverifiable()
    {
        Judged.UnverifiableFor(AttestationCheck.Collateral, (MockVendor.Right with { Driver = null }).Verify());
        Judged.UnverifiableFor(AttestationCheck.Collateral, (MockVendor.Right with { Firmware = null }).Verify());
        Judged.Accepted((MockVendor.Right with { Firmware = null }).Verify(MockVendor.Policy with { RequireManifests = false }));
    }

    [Fact]
    public void Verify_ManifestGivenThoughNotRequired_IsJudged()
    {
        var vendor = MockVendor.Right with { Driver = Naming(new MockResource(7, new byte[48])).Bytes() };
        Judged.RefusedFor(AttestationCheck.Measurement, vendor.Verify(MockVendor.Policy with { RequireManifests = false }));
    }

    [Fact]
    public void Verify_MeasurementThatTheManifestDoesNotName_IsRefused()
    {
        Judged.RefusedFor(AttestationCheck.Measurement, WithDriver(Naming(new MockResource(7, MockDevice.Digest(7)))));
        Judged.RefusedFor(AttestationCheck.Measurement, WithDriver(Naming(new MockResource(7, new byte[48], new byte[48]))));
        Judged.RefusedFor(AttestationCheck.Measurement, WithDriver(Naming(MockVendor.Measured(64))));
        Judged.Accepted(WithDriver(Naming(new MockResource(7, new byte[48], MockDevice.Digest(8)))));
    }

    [Fact]
    public void Verify_DecoderSwitchedOff_IsNotMeasuredAndOtherwiseIs()
    {
        MockDevice With(byte state) => MockVendor.Device with { Opaque = [.. MockVendor.Device.Opaque.Where(field => field.Type != 11), (11, [state])] };
        var other = Naming(MockVendor.Measured(7), new MockResource(35, new byte[48]));
        Judged.Accepted(WithDriver(other, With(0x55)));
        Judged.RefusedFor(AttestationCheck.Measurement, WithDriver(other, With(0xAA)));
        Judged.RefusedFor(AttestationCheck.Measurement, WithDriver(other, With(0)));
        Judged.RefusedFor(AttestationCheck.Measurement, WithDriver(other, MockVendor.Device with { Opaque = [.. MockVendor.Device.Opaque.Where(field => field.Type != 11)] }));
    }

    [Theory]
    [InlineData("590.13", "GH100")]
    [InlineData("96.00.A5.00.01", "GH100")]
    [InlineData("590.12", "GB100")]
    [InlineData("590.12", "")]
    public void Verify_ManifestOfAnotherVersionOrProduct_IsRefusedForTheCollateral(string version, string product) =>
        Judged.RefusedFor(AttestationCheck.Collateral, WithDriver(Driver with { Version = version, Product = product }));

    [Fact]
    public void Verify_ReportWithoutItsVersion_IsRefusedForTheCollateral()
    {
        foreach (var type in (int[])[3, 6])
            Judged.RefusedFor(AttestationCheck.Collateral, MockVendor.Right.Verify(device: MockVendor.Device with { Opaque = [.. MockVendor.Device.Opaque.Where(field => field.Type != type)] }));
        Judged.RefusedFor(AttestationCheck.Collateral, MockVendor.Right.Verify(device: MockVendor.Device with { Opaque = [.. MockVendor.Device.Opaque.Where(field => field.Type != 6), (6, [0, 0xA5, 0, 0x96, 1, 1, 0, 0])] }));
    }

    [Fact]
    public void Verify_TwoManifestsForOneMeasurement_AreRefusedForTheCollateral() =>
        Judged.RefusedFor(AttestationCheck.Collateral, WithDriver(Naming(MockVendor.Measured(7), MockVendor.Measured(0))));

    [Fact]
    public void Verify_ManifestsExchanged_AreRefusedForTheCollateral()
    {
        var right = MockVendor.Right;
        Judged.RefusedFor(AttestationCheck.Collateral, (right with { Driver = right.Firmware, Firmware = right.Driver }).Verify());
    }

    [Fact]
    public void Verify_ManifestOfAnotherKey_IsRefusedForTheCollateral()
    {
        var other = MockManifest.Maker.Issue("signer", MockShape.Leaf);
        Judged.RefusedFor(AttestationCheck.Collateral, WithDriver(Driver with { Signer = other }));
    }

    [Fact]
    public void Verify_ManifestChangedBehindItsSignature_IsRefusedForTheCollateral()
    {
        byte[] With(string before, string after)
        {
            var text = Driver.Text();
            Assert.Contains(before, text, StringComparison.Ordinal);
            return System.Text.Encoding.UTF8.GetBytes(text.Replace(before, after, StringComparison.Ordinal));
        }

        foreach (var (before, after) in ((string, string)[])[("tagId=\"aa\"", "tagId=\"ab\""), ("active=\"True\"", "active=\"False\""), ("    <ns0:Entity", "   <ns0:Entity"), ("<ds:DigestValue>", "<ds:DigestValue>\n")])
            Judged.RefusedFor(AttestationCheck.Collateral, (MockVendor.Right with { Driver = With(before, after) }).Verify());
        // What canonical XML does not show is not signed.
        foreach (var (before, after) in ((string, string)[])[("tagId=\"aa\"", "tagId = 'aa'"), ("<ds:SignatureValue>", "<ds:SignatureValue>\n "), ("size=\"48\"/>", "size=\"48\"></ns0:Resource>"), ("corpus=\"false\" patch=\"false\"", "patch=\"false\" corpus=\"false\"")])
            Judged.Accepted((MockVendor.Right with { Driver = With(before, after) }).Verify());
    }

    [Fact]
    public void Verify_SignersPathThatDoesNotHold_IsRefusedForTheCollateral()
    {
        AttestationResult Signed(MockCertificate leaf, params MockCertificate[] above) => WithDriver(Driver with { Signer = leaf, Chain = [leaf, .. above] }, policy: WithoutAnswers);
        var (maker, root, other) = (MockManifest.Maker, MockManifest.Root, MockCertificate.Root("manifest root"));
        Judged.Accepted(Signed(maker.Issue("signer", MockShape.Leaf), maker, root));
        Judged.RefusedFor(AttestationCheck.Collateral, Signed(other.Issue("signer", MockShape.Leaf), other));
        Judged.RefusedFor(AttestationCheck.Collateral, Signed(maker.Issue("signer", MockShape.Leaf), root));
        Judged.RefusedFor(AttestationCheck.Collateral, Signed(maker.Issue("signer", MockShape.Leaf with { Until = MockDevice.At.AddSeconds(-1) }), maker, root));
        Judged.RefusedFor(AttestationCheck.Collateral, Signed(maker.Issue("signer", MockShape.Authority(null)), maker, root));
        Judged.RefusedFor(AttestationCheck.Collateral, Signed(maker.Issue("signer", MockShape.Leaf with { Extensions = [new X509EnhancedKeyUsageExtension([new(MockAnswer.Signing)], false)] }), maker, root));
        Judged.Accepted(Signed(maker.Issue("signer", MockShape.Leaf with { Extensions = [new X509EnhancedKeyUsageExtension([new("2.5.29.37.0")], false)] }), maker, root));
    }

    [Fact]
    public void Verify_ManifestUnderTheDevicesRoot_IsRefusedForTheCollateral()
    {
        var leaf = MockDevice.Boot.Issue("signer", MockShape.Leaf);
        Judged.RefusedFor(AttestationCheck.Collateral, WithDriver(Driver with { Signer = leaf, Chain = [leaf, MockDevice.Boot, MockDevice.Maker, MockDevice.Root] }, policy: WithoutAnswers));
    }

    [Fact]
    public void Verify_DeniedSigner_IsRefusedAsRevoked()
    {
        using var leaf = X509CertificateLoader.LoadCertificate(MockManifest.Leaf.Der);
        var issuer = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(leaf.IssuerName.RawData));
        var context = MockVendor.Right.Context();
        var policy = context.Policy with { Denied = new DenyList([(issuer, Convert.ToHexStringLower(leaf.SerialNumberBytes.Span))]) };
        Judged.RefusedFor(AttestationCheck.Revoked, NvidiaVerifier.Verify(MockVendor.Device.Report(), context with { Policy = policy }));
    }

    [Fact]
    public void Verify_ReportOfAnotherKeyWithManifests_SaysNothingOfThem()
    {
        var other = MockDevice.Boot.Issue("GH100", MockShape.Leaf);
        Judged.RefusedFor(AttestationCheck.Signature, WithDriver(Naming(new MockResource(7, new byte[48])), MockVendor.Device with { Signer = other }));
    }

    [Fact]
    public void Verify_Switch_NeedsTheFirmwaresManifestAlone()
    {
        var leaf = MockDevice.Boot.Issue("LS_10", MockDevice.Shape("NVIDIA:LS_10:48B02DFE0092CDDB", null));
        var device = MockVendor.Device with { Signer = leaf, Opaque = [(6, "96.10.55.00.01"u8.ToArray())] };
        var vendor = MockVendor.Right with { Driver = null, Firmware = (MockVendor.RightFirmware with { Product = "LS10", Version = "96.10.55.00.01" }).Bytes() };
        var context = vendor.Context(MockVendor.Policy with { Products = ["LS_10"] });
        var chain = System.Text.Encoding.ASCII.GetBytes(MockDevice.Pem(leaf, MockDevice.Boot, MockDevice.Maker, MockDevice.Root));
        context = context with { Collateral = new Dictionary<string, ReadOnlyMemory<byte>>(context.Collateral) { [NvidiaVerifier.ChainName] = chain } };
        Judged.Accepted(NvidiaVerifier.Verify(device.Report(), context));
    }
}
