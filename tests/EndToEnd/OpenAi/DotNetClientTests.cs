using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Embeddings;
using OpenAI.Models;
using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests.OpenAi;

/// <summary>OpenAI's own client for .NET against the shipped model, from the first chunk to a receipt that verifies.</summary>
public sealed class DotNetClientTests(Line line) : IClassFixture<Line>
{
    private const string Model = "scripture";

    private static readonly ChatTool Verse = ChatTool.CreateFunctionTool("verse", "Looks up a verse", BinaryData.FromString(
        """{"type":"object","properties":{"book":{"type":"string","enum":["Genesis","Exodus"]},"chapter":{"type":"integer","minimum":1,"maximum":9}},"required":["book","chapter"],"additionalProperties":false}"""));

    private static readonly ChatMessage[] Messages = [new SystemChatMessage("Answer from scripture."), new UserChatMessage("And it came to pass")];

    private OpenAIClientOptions Options => new() { Endpoint = new Uri(line.Host.Url + "v1"), RetryPolicy = new ClientRetryPolicy(0), NetworkTimeout = TimeSpan.FromMinutes(2) };

    private ChatClient Chat => new(Model, new ApiKeyCredential("none"), Options);

    [ChainFact]
    public async Task Chat_Whole_CarriesAReceiptThatBecomesFinalAndVerifies()
    {
        var result = await Chat.CompleteChatAsync(Messages, new ChatCompletionOptions { MaxOutputTokenCount = 24, Seed = 7 });
        Assert.NotEmpty(result.Value.Content[0].Text);
        Assert.Equal(result.Value.Usage.TotalTokenCount, result.Value.Usage.InputTokenCount + result.Value.Usage.OutputTokenCount);
        using var body = JsonDocument.Parse(result.GetRawResponse().Content);
        var receipt = Receipt.Decode(body.RootElement.GetProperty("og_receipt").GetProperty("receipt").GetBytesFromBase64());
        Assert.True(result.GetRawResponse().Headers.TryGetValue("OG-Receipt-Id", out var id));
        Assert.Equal(receipt.Id.ToString(), id);

        await line.Host.UntilStage(id!, "final");
        Assert.Empty(await Verifier.Check(await line.Host.Bundle(receipt), line.Installation.TrustPolicy, line.Installation.Chain.Rpc));
    }

    [ChainFact]
    public async Task Chat_Streamed_GivesTheTextOfTheWholeOne()
    {
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 40, Seed = 9, Temperature = 0.8f };
        var whole = await Chat.CompleteChatAsync(Messages, options);
        var text = new StringBuilder();
        ChatFinishReason? finish = null;
        var tokens = 0;
        await foreach (var update in Chat.CompleteChatStreamingAsync(Messages, new ChatCompletionOptions { MaxOutputTokenCount = 40, Seed = 9, Temperature = 0.8f }))
        {
            foreach (var part in update.ContentUpdate) text.Append(part.Text);
            finish = update.FinishReason ?? finish;
            tokens = update.Usage?.OutputTokenCount ?? tokens;
        }

        Assert.Equal(whole.Value.Content[0].Text, text.ToString());
        Assert.Equal(whole.Value.FinishReason, finish);
        Assert.Equal(whole.Value.Usage.OutputTokenCount, tokens);
    }

    [ChainFact]
    public async Task Chat_ToolsForced_AreCalledAndTheirResultIsTaken()
    {
        foreach (var choice in new[] { ChatToolChoice.CreateRequiredChoice(), ChatToolChoice.CreateFunctionChoice("verse") })
        {
            var answer = (await Chat.CompleteChatAsync(Messages, new ChatCompletionOptions { Tools = { Verse }, ToolChoice = choice })).Value;
            Assert.Equal(ChatFinishReason.ToolCalls, answer.FinishReason);
            var call = Assert.Single(answer.ToolCalls);
            using var arguments = JsonDocument.Parse(call.FunctionArguments);
            Assert.Contains(arguments.RootElement.GetProperty("book").GetString(), (string[])["Genesis", "Exodus"]);
            ChatMessage[] next = [.. Messages, new AssistantChatMessage(answer), new ToolChatMessage(call.Id, "In the beginning")];
            Assert.NotNull((await Chat.CompleteChatAsync(next, new ChatCompletionOptions { Tools = { Verse }, ToolChoice = ChatToolChoice.CreateNoneChoice(), MaxOutputTokenCount = 8 })).Value);
        }
    }

    [ChainFact]
    public async Task Chat_ToolsStreamed_ComeWithNameAndArguments()
    {
        var (name, arguments) = ("", new StringBuilder());
        await foreach (var update in Chat.CompleteChatStreamingAsync(Messages, new ChatCompletionOptions { Tools = { Verse }, ToolChoice = ChatToolChoice.CreateRequiredChoice() }))
        {
            foreach (var call in update.ToolCallUpdates)
            {
                name += call.FunctionName;
                if (call.FunctionArgumentsUpdate is { } part && !part.ToMemory().IsEmpty) arguments.Append(part);
            }
        }

        Assert.Equal("verse", name);
        using var parsed = JsonDocument.Parse(arguments.ToString());
        Assert.InRange(parsed.RootElement.GetProperty("chapter").GetInt32(), 1, 9);
    }

    [ChainFact]
    public async Task Chat_JsonSchema_IsFollowed()
    {
        var schema = BinaryData.FromString("""{"type":"object","properties":{"holy":{"type":"boolean"}},"required":["holy"],"additionalProperties":false}""");
        var answer = await Chat.CompleteChatAsync(Messages, new ChatCompletionOptions { ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat("day", schema, jsonSchemaIsStrict: true) });
        using var parsed = JsonDocument.Parse(answer.Value.Content[0].Text);
        Assert.True(parsed.RootElement.GetProperty("holy").ValueKind is JsonValueKind.True or JsonValueKind.False);
    }

    [ChainFact]
    public async Task Models_Listed_HaveTheShippedOne()
    {
        var models = new OpenAIModelClient(new ApiKeyCredential("none"), Options);
        Assert.Contains((await models.GetModelsAsync()).Value, model => model.Id == Model);
        Assert.Equal(Model, (await models.GetModelAsync(Model)).Value.Id);
    }

    [ChainFact]
    public async Task Embeddings_OfTwoTexts_AreTwoVectorsOfLengthOne()
    {
        var embeddings = new EmbeddingClient(Model, new ApiKeyCredential("none"), Options);
        var vectors = (await embeddings.GenerateEmbeddingsAsync(["light", "darkness"])).Value;
        Assert.Equal(2, vectors.Count);
        foreach (var vector in vectors)
        {
            var sum = 0.0;
            foreach (var number in vector.ToFloats().Span) sum += (double)number * number;
            Assert.Equal(1, sum, 3);
        }
    }

    [ChainFact]
    public async Task Errors_ModelAndContext_AreNamed()
    {
        var unknown = await Assert.ThrowsAsync<ClientResultException>(() => new ChatClient("gpt-4o", new ApiKeyCredential("none"), Options).CompleteChatAsync(Messages));
        Assert.Equal(404, unknown.Status);
        Assert.Contains("model_not_found", unknown.Message);
        var tooLong = await Assert.ThrowsAsync<ClientResultException>(() => Chat.CompleteChatAsync([new UserChatMessage(string.Concat(Enumerable.Repeat("lo ", 20_000)))]));
        Assert.Equal(400, tooLong.Status);
        Assert.Contains("context_length_exceeded", tooLong.Message);
    }
}
