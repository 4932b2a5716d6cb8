using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests.OpenAi;

/// <summary><c>og chat</c>, <c>og generate</c> and <c>og replay</c> of what they saved, against the shipped model.</summary>
public sealed class ChatCommandTests(Line line) : IClassFixture<Line>
{
    private const string Model = "scripture", Prompt = "And it came to pass";

    [ChainFact]
    public async Task Chat_WaitFinal_GivesAReceiptThatVerifiesAndAnAnswerThatReplays()
    {
        using var folder = new TemporaryFolder();
        var (receipt, saved) = (folder.At("passage.ogb"), folder.At("answer.json"));
        var chat = await Og.Run("chat", Model, Prompt, "--url", line.Host.Url, "--max-tokens", "100", "--seed", "3", "--wait", "final", "--timeout", Og.Patience, "--receipt", receipt, "--save", saved);
        Assert.Contains("final", chat.Expect(Og.Ok).Output);
        Assert.Contains("everything holds", (await Og.Run("verify", receipt, "--trust", line.Installation.Trust)).Expect(Og.Ok).Output);

        Assert.Contains("reproduced", (await Og.Run("replay", saved, "--model", Repository.Models)).Expect(Og.Ok).Output);
        Assert.Contains("hold under the trust file", (await Og.Run("replay", receipt, "--generation", saved, "--model", Repository.At("models", Model), "--trust", line.Installation.Trust)).Expect(Og.Ok).Output);
    }

    [ChainFact]
    public async Task Replay_OfWhatWasChanged_SaysWhatIsWrong()
    {
        using var folder = new TemporaryFolder();
        var saved = folder.At("answer.json");
        (await Og.Run("generate", Model, "In the beginning", "--url", line.Host.Url, "--max-tokens", "20", "--temperature", "0", "--save", saved)).Expect(Og.Ok);
        (await Og.Run("replay", saved, "--model", Repository.Models, "--prompt-file", folder.Write("prompt.txt", "In the beginning"))).Expect(Og.Ok);

        (await Og.Run("replay", saved, "--model", Repository.Models, "--prompt-file", folder.Write("other.txt", "In the end"))).Expect(15);
        var answer = File.ReadAllText(saved);
        var tokens = answer.IndexOf("\"tokens\":[", StringComparison.Ordinal) + "\"tokens\":[".Length;
        var end = answer.IndexOfAny([',', ']'], tokens);
        var other = answer[tokens..end] == "7" ? "8" : "7";
        (await Og.Run("replay", folder.Write("changed.json", string.Concat(answer.AsSpan(0, tokens), other, answer.AsSpan(end))), "--model", Repository.Models)).Expect(16);
        (await Og.Run("replay", folder.Write("half.json", answer[..^40]), "--model", Repository.Models)).Expect(Og.Usage);
    }

    [ChainFact]
    public async Task Chat_UnknownModel_IsRefusedByName()
    {
        var chat = (await Og.Run("chat", "nobody", Prompt, "--url", line.Host.Url)).Expect(Og.Unavailable);
        Assert.Contains("nobody", chat.Error);
    }

    [ChainFact]
    public async Task Demo_WithAChat_EndsWhenItsReceiptIsFinal()
    {
        using var folder = new TemporaryFolder();
        var demo = await Og.Run("demo", "--timeout", Og.Patience, "--url", line.Host.Url, "--chat", $"{Model}={Prompt}", "--receipts", folder.At("receipts"));
        Assert.Contains("every receipt is final", demo.Expect(Og.Ok).Output);
        var bundle = Assert.Single(Directory.GetFiles(folder.At("receipts"), "*.ogb"));
        Assert.Empty(await Verifier.Check(File.ReadAllBytes(bundle), line.Installation.TrustPolicy, line.Installation.Chain.Rpc));
        Assert.Equal(Model, Statement.Decode(ReceiptBundle.Decode(File.ReadAllBytes(bundle)).Receipt.Statement.Span).Context.ModelName);
    }
}
