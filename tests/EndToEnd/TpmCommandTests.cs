using OpenGradient.Engine.EndToEnd.Tests.Running;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>Exit codes of <c>og tpm</c>; enrolment itself is tested beside the verifier, with a swtpm.</summary>
public sealed class TpmCommandTests : IDisposable
{
    private static readonly string Name = "000b" + new string('a', 64);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("og-tpm-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Enrol_WithTheRightAnswer_PrintsTheKeysName()
    {
        var answer = new byte[32];
        var expected = Write("expected", System.Text.Encoding.ASCII.GetBytes($"{Name} {Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(answer))}\n"));

        Assert.Equal(Name, (await Og.Run("tpm", "enrol", expected, Write("answer", answer))).Expect(Og.Ok).Output.Trim());
        answer[0] = 1;
        (await Og.Run("tpm", "enrol", expected, Write("answer", answer))).Expect(Og.Failed);
        Assert.Contains("expectation", (await Og.Run("tpm", "enrol", Write("other", [1, 2, 3]), Write("answer", answer))).Expect(Og.Usage).Error);
    }

    [Fact]
    public async Task Challenge_ForEvidenceThatIsNoQuote_IsRefusedWithTheReasonAndWritesNothing()
    {
        var output = Path.Combine(_folder.FullName, "challenge");
        var policy = Write("policy", "{\"version\":1,\"tpm\":{}}"u8.ToArray());

        var refused = await Og.Run("tpm", "challenge", Write("evidence", new byte[100]), "--policy", policy, "--at", "now", "--nonce", "00", "--out", output, "--expect", output + ".expected");

        Assert.Contains("refused", refused.Expect(Og.Failed).Output);
        Assert.False(File.Exists(output) || File.Exists(output + ".expected"));
    }

    [Fact]
    public async Task Answer_ToWhatIsNoChallenge_Fails()
    {
        var failed = await Og.Run("tpm", "answer", Write("challenge", new byte[40]), "--out", Path.Combine(_folder.FullName, "answer"));

        Assert.Contains("no challenge", failed.Expect(Og.Failed).Error);
    }

    private string Write(string name, byte[] content)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
