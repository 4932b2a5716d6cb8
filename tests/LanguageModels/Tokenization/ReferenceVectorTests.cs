using System.Diagnostics;
using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels.Tests.Tokenization;

/// <summary>Token by token what <c>@huggingface/tokenizers</c> makes of generated and multilingual text.</summary>
public sealed class ReferenceVectorTests
{
    public static TheoryData<string> Names => [.. TokenizerVectors.Names];

    [Theory, MemberData(nameof(Names))]
    public void Encode_EveryCase_GivesTheReferencesTokens(string name)
    {
        var (tokenizer, cases) = TokenizerVectors.Read(name);
        Assert.True(cases.Count > 100);
        Assert.All(cases, each => Assert.Equal(Ids(each), tokenizer.Encode(Text(each), addSpecialTokens: false)));
    }

    [Theory, MemberData(nameof(Names))]
    public void Encode_WithSpecialTokens_AddsAsManyAsTheReference(string name)
    {
        var (tokenizer, cases) = TokenizerVectors.Read(name);
        Assert.All(cases, each => Assert.Equal(Ids(each).Length + each.GetProperty("special").GetInt32(), tokenizer.Encode(Text(each), addSpecialTokens: true).Length));
    }

    [Theory, MemberData(nameof(Names))]
    public void Decode_OfTheReferencesTokens_IsItsText(string name)
    {
        var (tokenizer, cases) = TokenizerVectors.Read(name);
        foreach (var each in cases)
            if (each.TryGetProperty("decoded", out var decoded)) Assert.Equal(decoded.GetString(), tokenizer.Decode(Ids(each), skipSpecialTokens: true));
    }

    [Theory, InlineData("gpt2"), InlineData("llama3"), InlineData("o200k"), InlineData("splits")]
    public void Decode_OfWhatWasEncoded_IsTheTextItself(string name)
    {
        var (tokenizer, cases) = TokenizerVectors.Read(name);
        // One of the added tokens takes the spaces around it.
        foreach (var text in cases.Select(Text).Where(text => !text.Contains("</tool_call>")))
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, addSpecialTokens: false), skipSpecialTokens: false));
    }

    [NodeFact]
    public async Task Vectors_MadeAgain_AreTheCommittedOnes()
    {
        var start = new ProcessStartInfo("node", [Path.Combine(TokenizerVectors.Folder, "make.mjs"), "--check"]) { RedirectStandardError = true };
        using var node = Process.Start(start)!;
        var said = await node.StandardError.ReadToEndAsync();
        await node.WaitForExitAsync();
        Assert.True(node.ExitCode == 0, said);
    }

    private static string Text(JsonElement each) => each.GetProperty("text").GetString()!;

    private static int[] Ids(JsonElement each) => [.. each.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())];
}

/// <summary>A test that needs Node.js and the reference's package; visibly skipped where one is missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NodeFactAttribute : FactAttribute
{
    private static readonly bool There = Directory.Exists(Path.Combine(TokenizerVectors.Root(), "node_modules", "@huggingface", "tokenizers"))
        && (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "node")));

    public NodeFactAttribute()
    {
        if (!There) Skip = "needs node and the package @huggingface/tokenizers (npm ci)";
    }
}
