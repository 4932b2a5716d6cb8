using System.Collections;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Attesting;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Hosting.Tests.Attesting;

public sealed class PlatformAttesterTests : IDisposable
{
    private static readonly AttestationShim Shim = AttestationShim.Load();

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("og-attester-");

    private DataFolder Folder => new DataFolder(Path.Combine(_root.FullName, "data")).Create();

    public void Dispose() => _root.Delete(recursive: true);

    private string Write(string name, string text)
    {
        var path = Path.Combine(_root.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }

    [Theory]
    [InlineData("""{"attester":"hearsay"}""", "attestation.attester")]
    [InlineData("""{"attester":"nitro"}""", "attestation.policy")]
    [InlineData("""{"attester":"sev-snp"}""", "attestation.policy")]
    [InlineData("""{"attester":"tdx"}""", "attestation.policy")]
    [InlineData("""{"attester":"tpm"}""", "attestation.policy")]
    [InlineData("""{"attester":"nitro","policy":"p","tpm":"/dev/tpmrm1"}""", "attestation.tpm")]
    [InlineData("""{"attester":"tpm","policy":"p","tpm":"tpmrm1"}""", "attestation.tpm")]
    [InlineData("""{"attester":"tpm","policy":"p","tpm":"a:\n"}""", "attestation.tpm")]
    [InlineData("""{"policy":"p"}""", "attestation.policy")]
    [InlineData("""{"collateral":"c"}""", "attestation.collateral")]
    public void Configuration_ThatWouldNotAttest_NamesTheKey(string attestation, string key)
    {
        var file = Write("og.json", $"{{\"attestation\":{attestation}}}");
        Assert.Contains(key, Assert.Throws<ConfigurationException>(() => ConfigurationLoader.Load(file, new Hashtable(), [])).Message);
    }

    [Fact]
    public void Configuration_OfATpm_IsRelativeToItsFile()
    {
        var file = Write("og.json", """{"attestation":{"attester":"tpm","tpm":"/dev/tpmrm1","policy":"p.json","collateral":"c"}}""");
        var attestation = ConfigurationLoader.Load(file, new Hashtable(), []).Attestation;
        Assert.Equal((Path.Combine(_root.FullName, "p.json"), Path.Combine(_root.FullName, "c"), "/dev/tpmrm1"), (attestation.Policy, attestation.Collateral, attestation.Tpm));
        Assert.Equal("device:/dev/tpmrm1", TpmDevice.Name(attestation.Tpm!));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("{\"version\":2}")]
    public void Open_PolicyThatCannotBeUsed_SaysWhichFile(string? content)
    {
        var policy = content is null ? Path.Combine(_root.FullName, "absent.json") : Write("p.json", content);
        var refused = Assert.Throws<ConfigurationException>(() => PlatformAttester.Open(new AttestationConfiguration { Attester = "nitro", Policy = policy }, Shim, Folder));
        Assert.Contains(policy, refused.Message);
    }

    [Theory]
    [InlineData("nitro")]
    [InlineData("sev-snp")]
    [InlineData("tdx")]
    public void Open_AttesterThatIsNotHere_IsRefusedWithTheShimsReason(string name)
    {
        var attester = PlatformAttester.Open(new AttestationConfiguration { Attester = name, Policy = Write("p.json", $"{{\"version\":1,\"{name}\":{{}}}}") }, Shim, Folder);
        var options = attester.Vouch(new EpochOptions { Attester = attester.Kind, LogId = default, ChainId = 1, Contract = default });
        Assert.Null(options.SoftwareRoot);
        var refused = Assert.Throws<AttestationException>(() => EnclaveEpoch.Open(Shim, options, TimeProvider.System));
        Assert.Contains(Shim.Attesters().Single(known => known.Kind == attester.Kind).Reason, refused.Message);
        Assert.False(File.Exists(Folder.SoftwareRoot), "a development root was made for a platform");
    }

    [Fact]
    public void Require_SoftwareByName_IsAcceptedByItsOwnRootAndJudgedOnce()
    {
        using var attester = PlatformAttester.Open(new AttestationConfiguration(), Shim, Folder);
        using var epoch = EnclaveEpoch.Open(Shim, attester.Vouch(new EpochOptions { Attester = attester.Kind, LogId = default, ChainId = 1, Contract = default }), TimeProvider.System);
        var judged = attester.Require(epoch.Epoch, DateTimeOffset.UnixEpoch);
        Assert.Equal(AttestationStatus.Accepted, judged.Found.Status);
        Assert.Same(judged, attester.Judge(epoch.Epoch, DateTimeOffset.UnixEpoch.AddDays(1)));
        Assert.Null(attester.Mock);
    }

    [Fact]
    public void Require_EvidenceThatThePolicyRefuses_EndsTheStartWithEveryReason()
    {
        using var attester = PlatformAttester.Open(new AttestationConfiguration { Attester = "tpm", Tpm = "swtpm:path=x", Policy = Write("p.json", "{\"version\":1,\"tpm\":{}}") }, Shim, Folder);
        var binding = new EpochBinding([new BoundKey(BoundKey.Secp256k1, EpochBinding.Secp256k1Spki([4, .. new byte[64]]))], default, [], default, 1, default, default);
        var evidence = new Evidence(EvidenceKind.Tpm, binding.Encode(), new byte[] { 1, 2, 3 });
        var refused = Assert.Throws<ConfigurationException>(() => attester.Require(new Epoch(evidence.Epoch, default, evidence.Encode()), DateTimeOffset.UnixEpoch));
        Assert.Contains("refused", refused.Message);
        Assert.NotNull(attester.Mock);
    }
}
