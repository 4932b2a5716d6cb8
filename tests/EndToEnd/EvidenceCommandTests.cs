using OpenGradient.Engine.EndToEnd.Tests.Running;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>Exit codes of <c>og evidence</c>; what is accepted and why is tested beside the verifiers.</summary>
public sealed class EvidenceCommandTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("og-evidence-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Verify_OfAKindThatThePolicyDoesNotName_IsRefused()
    {
        var refused = (await Og.Run("evidence", "verify", Evidence(), "--policy", Write("p.json", "{\"version\":1}"), "--at", "2026-01-01T00:00:00Z", "--any-nonce")).Expect(Og.Failed);
        Assert.Contains("refused at 2026-01-01T00:00:00Z", refused.Output);
        Assert.Matches("(?m)^kind: ", refused.Output);
    }

    [Fact]
    public async Task Verify_AsJson_IsOneObject()
    {
        var refused = (await Og.Run("evidence", "verify", Evidence(), "--policy", Write("p.json", "{\"version\":1,\"nitro\":{}}"), "--at", "1767225600", "--any-nonce", "--json")).Expect(Og.Failed);
        using var json = System.Text.Json.JsonDocument.Parse(refused.Output);
        Assert.Equal("refused", json.RootElement.GetProperty("status").GetString());
        Assert.Equal("2026-01-01T00:00:00Z", json.RootElement.GetProperty("at").GetString());
    }

    [Theory]
    [InlineData("{\"version\":2}", "now", "version")]
    [InlineData("{\"version\":1,\"surprise\":1}", "now", "surprise")]
    [InlineData("{\"version\":1}", "2026-01-01T00:00:00", "--at")]
    [InlineData("{\"version\":1}", "yesterday", "--at")]
    public async Task Verify_ThatCannotBeAsked_SaysWhy(string policy, string at, string named) =>
        Assert.Contains(named, (await Og.Run("evidence", "verify", Evidence(), "--policy", Write("p.json", policy), "--at", at, "--any-nonce")).Expect(Og.Usage).Error);

    [Fact]
    public async Task Verify_WithoutSayingWhichNonce_IsNotAsked() =>
        Assert.Contains("--any-nonce", (await Og.Run("evidence", "verify", Evidence(), "--policy", Write("p.json", "{\"version\":1}"), "--at", "now")).Expect(Og.Usage).Error);

    [Fact]
    public async Task Inspect_OfAFile_NamesKindAndDigest()
    {
        var output = (await Og.Run("evidence", "inspect", Evidence())).Expect(Og.Ok).Output;
        Assert.Matches(@"kind\s+nitro", output);
        Assert.Matches(@"sha-256\s+[0-9a-f]{64}", output);
    }

    [Theory]
    [InlineData("", "the file is empty")]
    [InlineData("neither evidence nor anything else", "it begins like no evidence")]
    public async Task Inspect_OfWhatIsNone_SaysSoAndExitsOne(string content, string said) =>
        Assert.Contains(said, (await Og.Run("evidence", "inspect", Write("none", content))).Expect(Og.Failed).Output);

    [Fact]
    public async Task Inspect_OfADamagedEnvelope_IsRefused() =>
        Assert.Contains("evidence", (await Og.Run("evidence", "inspect", Write("cut", "OGE evidence v1\0\0"))).Expect(Og.Usage).Error);

    [Fact]
    public async Task Attest_BySoftware_WritesAnEnvelopeThatNoPolicyCanAccept()
    {
        var file = Path.Combine(_folder.FullName, "made");
        var made = (await Og.Run("attest", "--attester", "software", "--software-root", Path.Combine(_folder.FullName, "root.key"), "--nonce", "01", "--out", file)).Expect(Og.Ok);
        Assert.Contains("NOT trusted", made.Output);
        Assert.Contains("software, in an envelope", (await Og.Run("evidence", "inspect", file)).Expect(Og.Ok).Output);
        var judged = (await Og.Run("evidence", "verify", file, "--policy", Write("p.json", "{\"version\":1}"), "--at", "now", "--nonce", "01")).Expect(Og.NotYet);
        Assert.StartsWith("unverifiable at", judged.Output);
    }

    [Fact]
    public async Task Attest_ByWhatIsNotHere_ExitsOneWithTheShimsReason() =>
        Assert.Contains("/dev/nsm is absent", (await Og.Run("attest", "--attester", "nitro", "--nonce", "01", "--out", Path.Combine(_folder.FullName, "none"))).Expect(Og.Failed).Error);

    [Theory]
    [InlineData("--attester", "hearsay", "--nonce", "01")]
    [InlineData("--attester", "tpm", "--nonce", "0")]
    [InlineData("--attester", "tpm", "--nonce", "")]
    [InlineData("--attester", "software", "--nonce", "01")]
    [InlineData("--attester", "nitro", "--nonce", "01", "--tpm", "/dev/tpmrm0")]
    public async Task Attest_AskedWrongly_ExitsTwo(params string[] arguments) =>
        (await Og.Run(["attest", .. arguments, "--out", Path.Combine(_folder.FullName, "none")])).Expect(Og.Usage);

    private string Evidence()
    {
        var path = Path.Combine(_folder.FullName, "evidence");
        File.WriteAllBytes(path, [0x84, 0x44, 0xa1, 0x01, 0x38, 0x22, 0xa0, 0x40, 0x40]);
        return path;
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }
}
