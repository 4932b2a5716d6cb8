using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Commitments;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Commitments;

public sealed class HeadTests
{
    private static readonly LanguageModelOptions Every8 = new() { Commitments = new CommitmentOptions { EveryTokens = 8, Every = TimeSpan.FromHours(1) } };

    private readonly ReferenceSealer _sealer = new();
    private readonly ReferenceSink _sink = new();

    private LanguageModelServices Services => new() { Sealer = _sealer, Sink = _sink };

    [Fact]
    public async Task Answer_NotStreamed_HasOneHeadOverAllOfIt()
    {
        await using var model = FakeModel.Serve(new FakeRuntime(), Every8, Services);
        var request = FakeModel.Request([1, 2, 3], 30, new() { Seed = 5, TopK = 9 });
        var result = await model.Answer(request);
        var head = Assert.Single(result.Heads);
        Assert.Equal((30, FinishReason.Length, true), (head.Tokens, head.Finish, head.IsHandedOver));
        Check(head, request, result, default);
        Assert.Equal(1, _sink.Accepted);
        var statement = Statement.Decode(head.Receipt.Statement.Span);
        Assert.Equal(GenerationRow.Context("fake", "1", FakeRuntime.Small).Encode(), statement.Context.Encode());
        Assert.Equal(DeterminismClass.A, statement.Context.Determinism);
        Assert.Equal(head.Receipt.Encode(), Receipt.Decode(head.Receipt.Encode()).Encode());
    }

    [Fact]
    public async Task Answer_Streamed_HasAChainOfHeads()
    {
        await using var model = FakeModel.Serve(new FakeRuntime(), Every8, Services);
        var request = FakeModel.Request([1, 2, 3], 30) with { IsStreamed = true };
        var generation = model.Started(request);
        var parts = await generation.Parts();
        var result = await generation.Completion;
        Assert.Equal([8, 16, 24, 30], result.Heads.Select(head => head.Tokens));
        Assert.Equal([FinishReason.None, FinishReason.None, FinishReason.None, FinishReason.Length], result.Heads.Select(head => head.Finish));
        Hash256 previous = default;
        foreach (var head in result.Heads)
        {
            Check(head, request, result, previous);
            previous = head.Receipt.LeafHash;
        }

        // A part that has a head ends where the head does.
        var read = 0;
        foreach (var part in parts)
        {
            read += part.Tokens.Count;
            if (part.Head is { } head) Assert.Equal(head.Tokens, read);
        }

        Assert.Equal(30, parts[^1].Head!.Tokens);
    }

    [Fact]
    public async Task Answer_SlowStream_HasAHeadPerSecond()
    {
        var (runtime, clock) = (new FakeRuntime(), new ManualClock());
        runtime.Stepping = (_, _) => clock.Advance(TimeSpan.FromMilliseconds(400));
        await using var model = FakeModel.Serve(runtime, services: Services with { Time = clock });
        var result = await model.Answer(FakeModel.Request([1], 10) with { IsStreamed = true });
        Assert.Equal([4, 7, 10], result.Heads.Select(head => head.Tokens));
    }

    /// <summary>What the client has is provable, and that there was more to come is evident.</summary>
    [Fact]
    public async Task Answer_Cut_HasALastHeadThatSaysSo()
    {
        var runtime = new FakeRuntime();
        await using var model = FakeModel.Serve(runtime, Every8, Services);
        using var gate = new StepGate(runtime);
        var request = FakeModel.Request([1, 2], 100) with { IsStreamed = true };
        var generation = model.Started(request);
        await gate.Reached(1);
        gate.Allow(10);
        await gate.Reached(11);
        generation.Cancel();
        gate.Allow(1);
        var result = await generation.Completion.WaitAsync(FakeModel.Patience);
        Assert.Equal([(8, FinishReason.None), (11, FinishReason.Cancelled)], result.Heads.Select(head => (head.Tokens, head.Finish)));
        Check(result.Heads[0], request, result, default);
        Check(result.Heads[1], request, result, result.Heads[0].Receipt.LeafHash);
    }

    [Fact]
    public async Task Answers_DueInOneStep_ShareAStatement()
    {
        var runtime = new FakeRuntime();
        await using var model = FakeModel.Serve(runtime, Every8, Services);
        using var gate = new StepGate(runtime);
        var first = model.Started(FakeModel.Request([9], 1));
        await gate.Reached(1);
        GenerationRequest[] requests = [.. Enumerable.Range(0, 5).Select(i => FakeModel.Request([i], 12) with { IsStreamed = true })];
        var generations = requests.Select(model.Started).ToArray();
        gate.Open();
        var results = await Task.WhenAll(generations.Select(generation => generation.Completion)).WaitAsync(FakeModel.Patience);
        await first.Completion;
        Assert.Equal([1, 5, 5], _sealer.Batches.Select(batch => batch.Count));
        for (var i = 0; i < 5; i++)
        {
            Check(results[i].Heads[0], requests[i], results[i], default);
            Check(results[i].Heads[1], requests[i], results[i], results[i].Heads[0].Receipt.LeafHash);
        }

        Assert.Equal((11L, 3L), (model.Statistics.Heads, model.Statistics.Statements));
    }

    [Fact]
    public async Task Answer_SinkThatIsFull_IsAPromise()
    {
        _sink.Accepts = false;
        await using var model = FakeModel.Serve(new FakeRuntime(), Every8, Services);
        Assert.False(Assert.Single((await model.Answer(FakeModel.Request([1], 3))).Heads).IsHandedOver);
        Assert.Equal(1, model.Statistics.RefusedBySink);
    }

    [Fact]
    public async Task Answer_SealerThatRefuses_IsNone()
    {
        _sealer.Error = new SealingException("the epoch has ended");
        await using var model = FakeModel.Serve(new FakeRuntime(), Every8, Services);
        var result = await model.Answer(FakeModel.Request([1], 3));
        Assert.Equal((FinishReason.Failed, GenerationError.Sealing), (result.Finish, result.Failure!.Error));
        Assert.DoesNotContain("epoch", result.Failure.Message);
        Assert.Empty(result.Tokens);
        Assert.Empty(result.Text);
    }

    [Fact]
    public async Task Answer_SealerThatBreaksMidStream_KeepsWhatWasSigned()
    {
        var runtime = new FakeRuntime();
        await using var model = FakeModel.Serve(runtime, Every8, Services);
        using var gate = new StepGate(runtime);
        var generation = model.Started(FakeModel.Request([1], 50) with { IsStreamed = true });
        await gate.Reached(1);
        gate.Allow(9);
        await gate.Reached(10);
        _sealer.Error = new SealingException("the epoch has ended");
        gate.Open();
        var result = await generation.Completion.WaitAsync(FakeModel.Patience);
        Assert.Equal((FinishReason.Failed, 8), (result.Finish, result.Tokens.Count));
        Assert.Equal(8, Assert.Single(result.Heads).Tokens);
        Assert.Equal(0, model.Statistics.PagesHeld);
    }

    [Fact]
    public async Task Answer_CancelledBeforeItsFirstToken_HasNoHead()
    {
        var runtime = new FakeRuntime(FakeRuntime.Small with { MaxSequences = 1 });
        await using var model = FakeModel.Serve(runtime, Every8, Services);
        using var gate = new StepGate(runtime);
        var running = model.Started(FakeModel.Request([1], 2));
        await gate.Reached(1);
        var waiting = model.Started(FakeModel.Request([1], 2));
        waiting.Cancel();
        gate.Open();
        Assert.Empty((await waiting.Completion.WaitAsync(FakeModel.Patience)).Heads);
        Assert.Single((await running.Completion.WaitAsync(FakeModel.Patience)).Heads);
    }

    private static void Check(GenerationHead head, GenerationRequest request, GenerationResult result, Hash256 previous)
    {
        var receipt = head.Receipt;
        var leaf = RowLeaf.Decode(receipt.Leaf.Span);
        Assert.Equal(GenerationRow.RequestDigest(request.Prompt.Span), leaf.Request);
        Assert.Equal(GenerationRow.OutputDigest(head.Finish, previous, result.Tokens.Take(head.Tokens).ToArray()), leaf.Output);
        Assert.Equal(result.Parameters!.Digest(), leaf.Parameters);
        Assert.Equal((receipt.Row, (ushort)1), (leaf.FirstSlot, leaf.Rows));
        var statement = Statement.Decode(receipt.Statement.Span);
        Assert.Equal(statement.Receipts, statement.BatchRows);
        Assert.Equal(statement.RowsRoot, MerkleTree.RootFromPath(receipt.LeafHash, receipt.Row, statement.Receipts, receipt.Path));
    }
}
