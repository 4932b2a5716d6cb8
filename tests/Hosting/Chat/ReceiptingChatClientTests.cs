using Microsoft.Extensions.AI;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Chat;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.Hosting.Tests.Chat;

public sealed class ReceiptingChatClientTests
{
    private static readonly ChatMessage[] Question = [new(ChatRole.User, "Who?") { AuthorName = "me" }];

    [Fact]
    public async Task GetResponse_OfAnotherProvider_IsSignedAsSeen()
    {
        var sealer = new ReferenceSealer();
        var sink = new ReferenceSink();
        using var client = new ReceiptingChatClient(new Provider(), new ReceiptingServices(sealer, sink), TimeProvider.System);
        var options = new ChatOptions { Temperature = 0.7f };

        var response = await client.GetResponseAsync(Question, options);

        var head = AnswerReceipt.In(response.AdditionalProperties)!.Last;
        Assert.True(head.IsLast && head.IsHandedOver);
        Assert.Null(head.Tokens);
        Assert.Equal(1, sink.Accepted);
        var context = Statement.Decode(head.Receipt.Statement.Span).Context;
        Assert.Equal(("model-9", "", DeterminismClass.U), (context.ModelName, context.ModelVersion, context.Determinism));
        Assert.Equal(("external", "elsewhere", "https://elsewhere.example/"), (context.Runtime.Backend, context.Runtime.Provider, context.Runtime.LibraryVersion));
        // Whoever has request and answer makes the row's digests again.
        var leaf = RowLeaf.Decode(head.Receipt.Leaf.Span);
        Assert.Equal(Digest(("messages", ExternalRow.Messages(Question)), ("options", ExternalRow.Options(options))), leaf.Request);
        Assert.Equal(Digest(("answer", ExternalRow.Answer(response)), ("finish", [1]), ("previous", new byte[32])), leaf.Output);
        Assert.NotEqual(ExternalRow.Options(options), ExternalRow.Options(new ChatOptions { Temperature = 0.8f }));
    }

    [Fact]
    public async Task GetStreamingResponse_Heads_AreChainedOverWhatWasSeen()
    {
        var (sealer, clock) = (new ReferenceSealer(), new SteppedClock());
        using var client = new ReceiptingChatClient(new Provider(() => clock.Step(TimeSpan.FromMilliseconds(400))), new ReceiptingServices(sealer, null), clock);

        var updates = new List<ChatResponseUpdate>();
        await foreach (var update in client.GetStreamingResponseAsync(Question)) updates.Add(update);

        var heads = AnswerReceipt.In(updates[^1].AdditionalProperties)!.Heads;
        // Six updates 400 ms apart: a second is over at the third and at the sixth, and then comes the end.
        Assert.Equal([false, false, true], heads.Select(head => head.IsLast));
        Assert.Equal(3, sealer.Batches.Count);
        Assert.Single(AnswerReceipt.In(updates[3].AdditionalProperties)!.Heads);
        Assert.Equal(9, updates.Count);
        Assert.Same(AnswerReceipt.In(updates[^1].AdditionalProperties), AnswerReceipt.In(updates.ToChatResponse().AdditionalProperties));
        Assert.All(heads, head => Assert.False(head.IsHandedOver));
        var response = updates.ToChatResponse();
        Assert.Equal("A B C D E F ", response.Text);
        var last = RowLeaf.Decode(heads[^1].Receipt.Leaf.Span);
        Assert.Equal(Digest(("answer", ExternalRow.Answer(response)), ("finish", [1]), ("previous", heads[1].Receipt.LeafHash.Bytes.ToArray())), last.Output);
        Assert.Equal(Digest(("messages", ExternalRow.Messages(Question)), ("options", ExternalRow.Options(null))), last.Request);
    }

    [Fact]
    public async Task GetResponse_NothingCanBeSigned_HasNoAnswer()
    {
        using var client = new ReceiptingChatClient(new Provider(), new ReceiptingServices(new ReferenceSealer { Error = new SealingException("no") }, null), TimeProvider.System);

        await Assert.ThrowsAsync<SealingException>(() => client.GetResponseAsync(Question));
    }

    [Fact]
    public void Messages_EveryContent_HasItsBytes()
    {
        ChatMessage[] all =
        [
            new(ChatRole.User, [new TextContent("t"), new DataContent(new byte[] { 1, 2 }, "image/png"), new UriContent("https://x.example/a", "image/png")]),
            new(ChatRole.Assistant, [new TextReasoningContent("r"), new FunctionCallContent("c", "f", new Dictionary<string, object?> { ["b"] = 1, ["a"] = "x" })]),
            new(ChatRole.Tool, [new FunctionResultContent("c", "done"), new UsageContent(new UsageDetails()), new ErrorContent("e")]),
        ];

        var hash = Convert.ToHexStringLower(Hash256.Sha256([1, 2]).Bytes);
        Assert.Equal(
            "83" // three messages
            + "a2" + "01" + "64" + Hex("user") + "03" + "83" + "a2" + "0101" + "0261" + Hex("t")
            + "a3" + "0105" + "0269" + Hex("image/png") + "035820" + hash + "a3" + "0106" + "0269" + Hex("image/png") + "0373" + Hex("https://x.example/a")
            + "a2" + "01" + "69" + Hex("assistant") + "03" + "82" + "a2" + "0102" + "0261" + Hex("r")
            + "a4" + "0103" + "0261" + Hex("c") + "0361" + Hex("f") + "046f" + Hex("{\"a\":\"x\",\"b\":1}")
            + "a2" + "01" + "64" + Hex("tool") + "03" + "82" + "a3" + "0104" + "0261" + Hex("c") + "0366" + Hex("\"done\"")
            + "a2" + "0107" + "026c" + Hex("ErrorContent"),
            Convert.ToHexStringLower(ExternalRow.Messages(all)));
    }

    [Fact]
    public void Options_Numbers_AreShortestTexts() => Assert.Equal(
        "a4" + "0161" + Hex("m") + "0363" + Hex("0.7") + "0963" + Hex("-12") + "0b64" + Hex("json"),
        Convert.ToHexStringLower(ExternalRow.Options(new ChatOptions { ModelId = "m", Temperature = 0.7f, Seed = -12, ResponseFormat = ChatResponseFormat.Json })));

    private static string Hex(string text) => Convert.ToHexStringLower(System.Text.Encoding.UTF8.GetBytes(text));

    private static Hash256 Digest(params (string Name, byte[] Data)[] tensors) =>
        TensorSetDigest.Of(tensors.Select(tensor => (tensor.Name, TensorSetDigest.Header(tensor.Name, 2, [tensor.Data.Length], tensor.Data.Length), (ReadOnlyMemory<byte>)tensor.Data)));

    private sealed class SteppedClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Step(TimeSpan time) => _ticks += time.Ticks;
    }

    private sealed class Provider(Action? before = null) : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, "Nobody.")) { ModelId = "model-9", ResponseId = "r1", FinishReason = ChatFinishReason.Stop, Usage = new UsageDetails { InputTokenCount = 3, OutputTokenCount = 2 } });

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            foreach (var letter in "ABCDEF")
            {
                await Task.Yield();
                before?.Invoke();
                yield return new ChatResponseUpdate(ChatRole.Assistant, $"{letter} ") { ResponseId = "r2", MessageId = "r2", ModelId = "model-9" };
            }
        }

        public object? GetService(Type serviceType, object? serviceKey = null) =>
            serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("elsewhere", new Uri("https://elsewhere.example/"), "model-8") : null;

        public void Dispose()
        {
        }
    }
}
