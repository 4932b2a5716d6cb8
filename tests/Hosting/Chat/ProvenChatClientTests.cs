using System.Text.Json;
using Microsoft.Extensions.AI;
using OpenGradient.Engine.Hosting.Chat;
using OpenGradient.Engine.LanguageModels;
using OpenGradient.Engine.LanguageModels.Chat;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.Hosting.Tests.Chat;

public sealed class ProvenChatClientTests
{
    private static readonly AITool Weather = new Declared("weather", "Looks out of the window.", """{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}""");

    [Fact]
    public async Task GetResponse_PlainQuestion_IsAnsweredWithUsageAndReceipt()
    {
        var generator = new ScriptedGenerator("Hello ", "there.") { Sealer = new ReferenceSealer() };
        using var client = Client(generator);

        var response = await client.GetResponseAsync([new ChatMessage(ChatRole.User, "Hi")], new ChatOptions { Instructions = "Be kind." });

        Assert.Equal("Hello there.", response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.Equal("scripted", response.ModelId);
        Assert.Equal(generator.Request!.Prompt.Length, response.Usage!.InputTokenCount);
        Assert.Equal(2, response.Usage.CachedInputTokenCount);
        Assert.Equal("<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", generator.Prompt);
        Assert.False(generator.Request.IsStreamed);
        var receipt = AnswerReceipt.In(response.AdditionalProperties);
        Assert.Equal(generator.Sealer.Batches[0].ReceiptId(0), receipt!.Id);
        Assert.Same(receipt, response.AdditionalProperties!["og_receipt"]);
        Assert.True(receipt.Last.IsLast);
    }

    [Fact]
    public async Task GetResponse_Options_ReachTheRequest()
    {
        var generator = new ScriptedGenerator("x");
        using var client = Client(generator);

        await client.GetResponseAsync("Hi", new ChatOptions
        {
            Temperature = 0.5f, TopP = 0.9f, TopK = 7, Seed = -3, MaxOutputTokens = 11, StopSequences = ["a", "b"], FrequencyPenalty = 0.25f, PresencePenalty = -0.5f,
            AdditionalProperties = new AdditionalPropertiesDictionary { ["min_p"] = 0.125, ["repetition_penalty"] = JsonSerializer.SerializeToElement(1.5), ["og_caller"] = "me", ["other"] = 5 },
        });

        var (request, sampling) = (generator.Request!, generator.Request!.Sampling);
        Assert.Equal((0.5f, 0.9f, 7, 0.125f, 1.5f), (sampling.Temperature, sampling.TopP, sampling.TopK, sampling.MinP, sampling.RepetitionPenalty));
        Assert.Equal((unchecked((ulong)-3L), 0.25f, -0.5f), (sampling.Seed!.Value, sampling.FrequencyPenalty, sampling.PresencePenalty));
        Assert.Equal(11, request.MaxTokens);
        Assert.Equal(["a", "b"], request.Stop);
        Assert.Equal("me", request.Caller);
    }

    [Fact]
    public async Task GetResponse_ToolCall_BecomesFunctionCallContent()
    {
        var generator = new ScriptedGenerator("One moment.\n<tool_call>{\"name\":\"weather\",\"arguments\":{\"city\":\"Oslo\"}}</tool_call>");
        using var client = Client(generator);

        var response = await client.GetResponseAsync("Rain?", new ChatOptions { Tools = [Weather] });

        Assert.Equal("One moment.", response.Text);
        Assert.Equal(ChatFinishReason.ToolCalls, response.FinishReason);
        var call = Assert.Single(response.Messages[0].Contents.OfType<FunctionCallContent>());
        Assert.Equal("weather", call.Name);
        Assert.Equal("Oslo", ((JsonElement)call.Arguments!["city"]!).GetString());
        Assert.Null(generator.Request!.Constraint);
        // The template knows no tools: the model is told in a message.
        Assert.Contains("\"name\":\"weather\"", generator.Prompt, StringComparison.Ordinal);
        Assert.Contains("<tool_call>", generator.Prompt, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetResponse_ToolModes_ForceOrForbid()
    {
        var generator = new ScriptedGenerator("{\"name\":\"weather\",\"arguments\":{\"city\":\"Oslo\"}}");
        using var client = Client(generator);

        var forced = await client.GetResponseAsync("Rain?", new ChatOptions { Tools = [Weather], ToolMode = ChatToolMode.RequireAny });
        Assert.Equal(ChatFinishReason.ToolCalls, forced.FinishReason);
        Assert.Equal("", forced.Text);
        Assert.NotNull(generator.Request!.Constraint);

        var none = await client.GetResponseAsync("Rain?", new ChatOptions { Tools = [Weather], ToolMode = ChatToolMode.None });
        Assert.Equal("{\"name\":\"weather\",\"arguments\":{\"city\":\"Oslo\"}}", none.Text);
        Assert.DoesNotContain("weather", generator.Prompt, StringComparison.Ordinal);

        var unknown = await Assert.ThrowsAsync<ChatPromptException>(() => client.GetResponseAsync("Rain?", new ChatOptions { Tools = [Weather], ToolMode = ChatToolMode.RequireSpecific("stocks") }));
        Assert.Equal("tool_choice", unknown.Parameter);
    }

    [Fact]
    public async Task GetResponse_CallsAndResultsOfEarlierTurns_AreInThePrompt()
    {
        var generator = new ScriptedGenerator("Dry.");
        using var client = Client(generator);
        ChatMessage[] messages =
        [
            new(ChatRole.User, "Rain?"),
            new(ChatRole.Assistant, [new FunctionCallContent("c1", "weather", new Dictionary<string, object?> { ["city"] = "Oslo", ["days"] = 2 })]),
            new(ChatRole.Tool, [new FunctionResultContent("c1", new Dictionary<string, object?> { ["rain"] = false })]),
        ];

        await client.GetResponseAsync(messages, new ChatOptions { Tools = [Weather] });

        Assert.Contains("{\"name\": \"weather\", \"arguments\": {\"city\":\"Oslo\",\"days\":2}}", generator.Prompt, StringComparison.Ordinal);
        Assert.Contains("<tool_response>\n{\"rain\":false}\n</tool_response>", generator.Prompt, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetResponse_JsonFormats_ConstrainTheAnswer()
    {
        var generator = new ScriptedGenerator("{}");
        using var client = Client(generator);

        await client.GetResponseAsync("x", new ChatOptions { ResponseFormat = ChatResponseFormat.Json });
        Assert.Equal("{\"type\":\"object\"}", System.Text.Encoding.UTF8.GetString(generator.Request!.Constraint!.Description.Span));
        await client.GetResponseAsync("x", new ChatOptions { ResponseFormat = ChatResponseFormat.ForJsonSchema(JsonDocument.Parse("""{"type":"integer"}""").RootElement) });
        Assert.Equal("{\"type\":\"integer\"}", System.Text.Encoding.UTF8.GetString(generator.Request!.Constraint!.Description.Span));
        var refused = await Assert.ThrowsAsync<ChatPromptException>(() => client.GetResponseAsync("x", new ChatOptions { ResponseFormat = ChatResponseFormat.ForJsonSchema(JsonDocument.Parse("""{"not":{}}""").RootElement) }));
        Assert.Equal("response_format", refused.Parameter);
        Assert.Contains("'not'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetStreamingResponse_Parts_ComeAsUpdatesWithHeads()
    {
        var generator = new ScriptedGenerator("Hel", "lo ", "<tool_", "call>{\"name\":\"weather\",\"arguments\":{\"city\":\"Oslo\"}}", "</tool_call>") { Sealer = new ReferenceSealer() };
        using var client = Client(generator);

        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in client.GetStreamingResponseAsync("Rain?", new ChatOptions { Tools = [Weather] })) updates.Add(update);

        Assert.True(generator.Request!.IsStreamed);
        Assert.Equal("Hel", updates[0].Text);
        Assert.Single(AnswerReceipt.In(updates[1].AdditionalProperties)!.Heads);
        Assert.False(AnswerReceipt.In(updates[1].AdditionalProperties)!.Last.IsLast);
        var response = updates.ToChatResponse();
        Assert.Equal("Hello", response.Text);
        Assert.Equal("weather", Assert.Single(response.Messages[0].Contents.OfType<FunctionCallContent>()).Name);
        Assert.Equal(ChatFinishReason.ToolCalls, response.FinishReason);
        Assert.Equal(5, response.Usage!.OutputTokenCount);
        Assert.Equal(5, AnswerReceipt.In(response.AdditionalProperties)!.Heads.Count);
        Assert.True(AnswerReceipt.In(response.AdditionalProperties)!.Last.IsLast);
        Assert.Single(updates.Select(update => update.ResponseId).Distinct());
    }

    [Fact]
    public async Task GetResponse_Cancelled_CancelsTheGeneration()
    {
        var generator = new ScriptedGenerator { Hangs = true };
        using var client = Client(generator);
        using var source = new CancellationTokenSource();

        var answer = client.GetResponseAsync("x", cancellationToken: source.Token);
        await source.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        Assert.Equal(FinishReason.Cancelled, (await generator.Last!.Completion).Finish);
    }

    [Fact]
    public async Task GetResponse_Failures_AreTheGenerators()
    {
        var full = new GenerationFailure(GenerationError.QueueFull, "full", TimeSpan.FromSeconds(1));
        using var refusing = Client(new ScriptedGenerator("x") { Refusal = full });
        Assert.Same(full, (await Assert.ThrowsAsync<GenerationException>(() => refusing.GetResponseAsync("x"))).Failure);

        var broken = new GenerationFailure(GenerationError.Runtime, "broken");
        using var failing = Client(new ScriptedGenerator("x") { Failure = broken, Finish = FinishReason.Failed });
        Assert.Same(broken, (await Assert.ThrowsAsync<GenerationException>(() => failing.GetResponseAsync("x"))).Failure);
        await Assert.ThrowsAsync<GenerationException>(async () =>
        {
            await foreach (var _ in failing.GetStreamingResponseAsync("x"))
            {
            }
        });
    }

    [Fact]
    public async Task GetResponse_WhatIsNotSupported_IsRefusedByName()
    {
        using var client = Client(new ScriptedGenerator("x"));

        await Assert.ThrowsAsync<ArgumentException>(() => client.GetResponseAsync("x", new ChatOptions { ModelId = "other" }));
        await Assert.ThrowsAsync<ArgumentException>(() => client.GetResponseAsync("x", new ChatOptions { ConversationId = "c" }));
        await Assert.ThrowsAsync<ArgumentException>(() => client.GetResponseAsync("x", new ChatOptions { AdditionalProperties = new() { ["min_p"] = "much" } }));
        var image = await Assert.ThrowsAsync<ChatPromptException>(() => client.GetResponseAsync([new ChatMessage(ChatRole.User, [new DataContent(new byte[] { 1 }, "image/png")])]));
        Assert.Equal("messages[0].content", image.Parameter);
        Assert.Equal("tools", (await Assert.ThrowsAsync<ChatPromptException>(() => client.GetResponseAsync("x", new ChatOptions { Tools = [new HostedWebSearchTool()] }))).Parameter);
        Assert.Equal("messages", (await Assert.ThrowsAsync<ChatPromptException>(() => client.GetResponseAsync(Array.Empty<ChatMessage>()))).Parameter);
        Assert.Equal("messages[0].role", (await Assert.ThrowsAsync<ChatPromptException>(() => client.GetResponseAsync([new ChatMessage(new ChatRole("king"), "x")]))).Parameter);
        using var mute = new ProvenChatClient(new ScriptedGenerator("x"), ScriptedGenerator.PartsOf(new FakeRuntime(), hasTemplate: false), TimeProvider.System);
        Assert.Contains("no chat template", (await Assert.ThrowsAsync<ChatPromptException>(() => mute.GetResponseAsync("x"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void GetService_KnownTypes_AreFound()
    {
        var generator = new ScriptedGenerator("x");
        using var client = Client(generator);

        Assert.Same(client, client.GetService<IChatClient>());
        Assert.Same(generator, client.GetService<ITextGenerator>());
        Assert.Equal("scripted", client.GetService<ChatClientMetadata>()!.DefaultModelId);
        Assert.Null(client.GetService<LanguageModel>());
        Assert.Null(client.GetService(typeof(IChatClient), "key"));
    }

    [Fact]
    public async Task GetResponse_OverAServedModel_FollowsTheSchemaAndIsSigned()
    {
        var sealer = new ReferenceSealer();
        var runtime = new FakeRuntime(FakeRuntime.Small with { VocabularySize = 259, ContextLength = 2048, Pages = 1024, MaxStepTokens = 512 });
        await using var model = new LanguageModel(ScriptedGenerator.PartsOf(runtime), new LanguageModelOptions(), new LanguageModelServices { Sealer = sealer });
        using var client = new ProvenChatClient(model, TimeProvider.System);
        var format = ChatResponseFormat.ForJsonSchema(JsonDocument.Parse("""{"type":"object","properties":{"ok":{"type":"boolean"},"n":{"type":"integer","minimum":0,"maximum":99}},"required":["ok","n"]}""").RootElement);

        var response = await client.GetResponseAsync("Say so.", new ChatOptions { ResponseFormat = format, Seed = 4, MaxOutputTokens = 200 });

        using var answer = JsonDocument.Parse(response.Text);
        Assert.InRange(answer.RootElement.GetProperty("n").GetInt32(), 0, 99);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
        Assert.Equal(sealer.Batches[^1].ReceiptId(0), AnswerReceipt.In(response.AdditionalProperties)!.Id);

        var streamed = await client.GetStreamingResponseAsync("Say so.", new ChatOptions { ResponseFormat = format, Seed = 4, MaxOutputTokens = 200 }).ToChatResponseAsync();
        Assert.Equal(response.Text, streamed.Text);
        var calls = await client.GetResponseAsync("Rain?", new ChatOptions { Tools = [new Declared("toss", "", """{"type":"object","properties":{"heads":{"type":"boolean"}},"required":["heads"]}""")], ToolMode = ChatToolMode.RequireAny, Seed = 1, MaxOutputTokens = 200 });
        Assert.Equal("toss", Assert.Single(calls.Messages[0].Contents.OfType<FunctionCallContent>()).Name);
    }

    [Fact]
    public async Task Embeddings_OfTexts_AreTheModelsHiddenStates()
    {
        await using var model = new LanguageModel(
            ScriptedGenerator.PartsOf(new FakeRuntime(FakeRuntime.Small with { VocabularySize = 259 })), new LanguageModelOptions(), new LanguageModelServices());
        using var generator = new ProvenEmbeddingGenerator(model, TimeProvider.System);

        var embeddings = await generator.GenerateAsync(["abc", "de"]);

        Assert.Equal(2, embeddings.Count);
        Assert.Equal(await model.EmbedAsync(TinyTokenizer.Encode("de"), default), embeddings[1].Vector.ToArray());
        Assert.Equal(5, embeddings.Usage!.InputTokenCount);
        Assert.Equal(16, ((EmbeddingGeneratorMetadata)generator.GetService(typeof(EmbeddingGeneratorMetadata))!).DefaultModelDimensions);
        await Assert.ThrowsAsync<ArgumentException>(() => generator.GenerateAsync(["a"], new EmbeddingGenerationOptions { Dimensions = 3 }));
        await Assert.ThrowsAsync<GenerationException>(() => generator.GenerateAsync([""]));
    }

    private static ProvenChatClient Client(ScriptedGenerator generator) => new(generator, ScriptedGenerator.Parts, TimeProvider.System);

    internal sealed class Declared(string name, string description, string schema) : AIFunctionDeclaration
    {
        public override string Name => name;

        public override string Description => description;

        public override JsonElement JsonSchema { get; } = JsonDocument.Parse(schema).RootElement.Clone();
    }
}
