using OpenGradient.Engine.EndToEnd.Tests.Running;

namespace OpenGradient.Engine.EndToEnd.Tests.OpenAi;

/// <summary>A test that needs the shipped language model and OpenAI's client for JavaScript; visibly skipped where one is missing.</summary>
public sealed class JavaScriptFactAttribute : FactAttribute
{
    public JavaScriptFactAttribute() => Skip = ChainFactAttribute.Reason
        ?? (Directory.Exists(Repository.At("node_modules", "openai")) ? null : "no openai package: run npm ci --ignore-scripts in the repository's root");
}

/// <summary>The client that most callers of that API have, against the shipped model.</summary>
public sealed class JavaScriptClientTests(Line line) : IClassFixture<Line>
{
    private static readonly string[] Scenarios =
    [
        "models", "chat", "streaming", "streamingHelper", "leaving", "tools", "streamedTools", "jsonSchema", "choicesAndLogprobs", "completions", "embeddings", "errors",
    ];

    [JavaScriptFact]
    public async Task Client_EveryScenario_Holds()
    {
        await using var node = await Child.Start("node", [Repository.At("tests", "EndToEnd", "OpenAi", "client.mjs"), line.Host.Url + "v1", "scripture"]);
        Assert.True(await node.Exit(TimeSpan.FromMinutes(5)) == 0, node.Output + node.Error);
        Assert.Equal(Scenarios, node.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }
}
