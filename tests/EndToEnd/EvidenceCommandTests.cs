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
