using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Attestation.Tests.Verification.Nitro;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Nvidia;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nvidia;

/// <summary>Reports of real devices, under a policy that waives manifests and revocation, which the captured data do not have.</summary>
public sealed class NvidiaVectorTests(Xunit.Abstractions.ITestOutputHelper output)
{
    private const string Base = "hopper-590", OtherNonce = "931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb";

    private static readonly DateTimeOffset At = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static TheoryData<string, string, string, string> Reports => new()
    {
        { Base, "e97b23a1718095a0e9e35edca810768c70a6a5a389b705e753b197912bc11576", "GH100", "driver 590.12, firmware 00a5009601000000" },
        { "hopper-590-ppcie0", "4760e30534a0621357d458b1a7936551b5dc4cd1e69718adf7ed9fb0252a537e", "GH100", "driver 590.12, firmware 00a5009601000000" },
        { "hopper-550", OtherNonce, "GH100", "driver 550.90.07, firmware 009f009601000000" },
        { "hopper-535", "27a328247bf7935c993341cf587be6f05986ccce4fe7ba2c54100bd616a58f66", "GH100", "driver 535.86.09, firmware 005e009601000000" },
        { "blackwell-575", OtherNonce, "GB100", "driver 575.32, firmware 008800970f000000" },
    };

    public static TheoryData<string, string> Mutants => new()
    {
        { "hopper-590-meas", "Signature" }, { "hopper-590-meas-len", "Encoding" }, { "hopper-590-blocks-0", "Encoding" },
        { "hopper-590-strip-request", "Encoding" }, { "hopper-590-trailing", "Encoding" },
    };

    /// <summary>Every report of the folder, by its name.</summary>
    public static TheoryData<string> AllReports => Files();

    public static TheoryData<string> Negatives => Files("negative");

    private static TheoryData<string> Files(params string[] folder) => Vectors.Folder is null
        ? []
        : [.. Directory.GetFiles(Vectors.PathOf(["nvidia", .. folder]), "*.report.bin").Select(path => Path.GetFileName(path).Split('.')[0]).Order(StringComparer.Ordinal)];

    private static VerificationContext Context(string chain, NvidiaPolicy? policy = null, string? nonce = null) =>
        MockDevice.Context(policy ?? new NvidiaPolicy { RequireManifests = false, RequireRevocation = false }, Vectors.ReadText("nvidia", $"{chain}.chain.pem")) with
        {
            At = At, Nonce = nonce is null ? default(ReadOnlyMemory<byte>?) : Convert.FromHexString(nonce),
        };

    private static byte[] Report(string name) => Vectors.Read("nvidia", $"{name}.report.bin");

    [VectorTheory, MemberData(nameof(Reports))]
    public void Verify_RealReport_IsAcceptedForItsNonce(string name, string nonce, string product, string tcb)
    {
        var claims = Judged.Accepted(NvidiaVerifier.Verify(Report(name), Context(name, null, nonce))).Claims!;
        Assert.Equal((product, tcb), (claims.Product, claims.Tcb));
        Judged.RefusedFor(AttestationCheck.Nonce, NvidiaVerifier.Verify(Report(name), Context(name, null, new string('0', 64))));
    }

    [VectorTheory, MemberData(nameof(AllReports))]
    public void Verify_AnyRealReport_IsAcceptedForTheNonceInIt(string name)
    {
        var policy = new NvidiaPolicy { RequireManifests = false, RequireRevocation = false, Products = ["GH100", "GB100", "LS_10"] };
        var nonce = Convert.ToHexStringLower(Report(name).AsSpan(4, 32));
        Assert.Equal(nonce, Convert.ToHexStringLower(Judged.Accepted(NvidiaVerifier.Verify(Report(name), Context(name, policy, nonce))).Claims!.Nonce.Span));
    }

    [VectorTheory, MemberData(nameof(Negatives))]
    public void Verify_NegativeReport_IsRefused(string name)
    {
        var context = MockDevice.Context(new NvidiaPolicy { RequireManifests = false, RequireRevocation = false }, Vectors.ReadText("nvidia", "negative", $"{name}.chain.pem"));
        Assert.Equal(AttestationStatus.Refused, NvidiaVerifier.Verify(Vectors.Read("nvidia", "negative", $"{name}.report.bin"), context with { At = At, Nonce = null }).Status);
    }

    [VectorTheory, MemberData(nameof(Reports))]
    public void Verify_RealReportUnderTheDefaultPolicy_IsUnverifiable(string name, string nonce, string product, string tcb)
    {
        var result = NvidiaVerifier.Verify(Report(name), Context(name, new NvidiaPolicy(), nonce));
        Assert.Equal([AttestationCheck.Collateral, AttestationCheck.Collateral, AttestationCheck.Revocation], result.Reasons.Select(reason => reason.Check));
        Assert.False(Judged.IsAccepted(result));
        Assert.Equal((product, tcb), (result.Claims!.Product, result.Claims.Tcb));
    }

    [VectorFact]
    public void Verify_Switch_IsRefusedUnlessThePolicyNamesIt()
    {
        var policy = new NvidiaPolicy { RequireManifests = false, RequireRevocation = false };
        Judged.RefusedFor(AttestationCheck.Platform, NvidiaVerifier.Verify(Report("ls10-switch"), Context("ls10-switch", policy, OtherNonce)));
        Judged.Accepted(NvidiaVerifier.Verify(Report("ls10-switch"), Context("ls10-switch", policy with { Products = ["LS_10"] }, OtherNonce)));
    }

    [VectorFact]
    public void Verify_ReportWithAnotherDevicesChain_IsRefusedForTheSignature()
    {
        const string Name = "hopper-590-with-blackwell-chain";
        var context = MockDevice.Context(new NvidiaPolicy { RequireManifests = false, RequireRevocation = false }, Vectors.ReadText("nvidia", "negative", $"{Name}.chain.pem"));
        Judged.RefusedAlsoFor(AttestationCheck.Signature, NvidiaVerifier.Verify(Vectors.Read("nvidia", "negative", $"{Name}.report.bin"), context with { At = At, Nonce = null }));
    }

    [VectorTheory, MemberData(nameof(Mutants))]
    public void Verify_MutantOfARealReport_IsRefusedForItsReason(string name, string check) => Judged.RefusedAlsoFor(
        Enum.Parse<AttestationCheck>(check), NvidiaVerifier.Verify(Vectors.Read("mutants", "nvidia", $"{name}.bin"), Context(Base)));

    [VectorFact]
    public void Verify_OtherSignatureOfARealReport_IsTheSameEvidence()
    {
        var twin = Judged.Accepted(NvidiaVerifier.Verify(Vectors.Read("mutants", "nvidia", "hopper-590-s-twin.bin"), Context(Base)));
        Assert.Equal(NvidiaVerifier.Verify(Report(Base), Context(Base)).Identity, twin.Identity);
    }

    [VectorTheory, MemberData(nameof(Reports))]
    public void Verify_AnyFlippedBitOfARealReport_IsRefused(string name, string nonce, string product, string tcb)
    {
        var context = Context(name, null, nonce);
        output.WriteLine($"{BitFlips.AllRefused(Report(name), 150, flipped => NvidiaVerifier.Verify(flipped, context))} bits of {name}, {product}, {tcb}");
    }

    // No captured report is of this driver. Where its version is all that is wrong, its signature and path hold.
    [VectorTheory]
    [InlineData("NV_GPU_DRIVER_GH100_550.144.03", "driver.xml is of 550.144.03, the report of 550.90.07")]
    [InlineData("incorrect_signature_driver_rim", "driver.xml: the signature does not hold")]
    public void Verify_RealManifestOfAnotherDriver_IsRefusedForThatAlone(string name, string detail)
    {
        var result = WithManifest(name, At);
        Judged.RefusedFor(AttestationCheck.Collateral, result);
        Assert.Equal(detail, Assert.Single(result.Reasons).Detail);
    }

    [VectorFact]
    public void Verify_RealManifestOfADebugRoot_IsRefusedForItsPath()
    {
        var result = WithManifest("incorrect_cert_chain_driver_rim", At);
        Judged.RefusedFor(AttestationCheck.Collateral, result);
        Assert.Contains(result.Reasons, reason => reason.Detail.Contains("is not pinned", StringComparison.Ordinal));
        Assert.Contains(result.Reasons, reason => reason.Detail.Contains("is not signed by", StringComparison.Ordinal));
    }

    [VectorTheory]
    [InlineData("2024-12-30T16:56:49Z", true)]
    [InlineData("2024-12-30T16:56:50Z", false)]
    [InlineData("2026-12-30T16:56:50Z", false)]
    [InlineData("2026-12-30T16:56:51Z", true)]
    public void Verify_RealManifest_HoldsInItsSignersTimeAlone(string time, bool isOutside) => Assert.Equal(
        isOutside, WithManifest("NV_GPU_DRIVER_GH100_550.144.03", DateTimeOffset.Parse(time, System.Globalization.CultureInfo.InvariantCulture)).Reasons.Any(reason => reason.Detail.Contains("valid from", StringComparison.Ordinal)));

    [VectorFact]
    public void Roots_OfThePolicy_AreTheVendorsFiles()
    {
        foreach (var (file, digest) in ((string, string)[])[("nvidia-device-root.pem", NvidiaPolicy.DeviceRoot), ("nvidia-rim-root.pem", NvidiaPolicy.ManifestRoot)])
        {
            using var root = X509Certificate2.CreateFromPem(Vectors.ReadText("nvidia", file));
            Assert.Equal(digest, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(root.RawData)));
        }
    }

    private static AttestationResult WithManifest(string name, DateTimeOffset at)
    {
        var context = Context("hopper-550", null, OtherNonce);
        var collateral = new Dictionary<string, ReadOnlyMemory<byte>>(context.Collateral) { [NvidiaVerifier.DriverManifestName] = Vectors.Read("nvidia", "rim", $"{name}.xml") };
        return NvidiaVerifier.Verify(Report("hopper-550"), context with { Collateral = collateral, At = at });
    }
}
