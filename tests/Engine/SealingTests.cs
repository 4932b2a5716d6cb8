using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Engine.Tests;

public sealed class SealingTests
{
    [Fact]
    public async Task Infer_SealerThatRefuses_GivesNoAnswer()
    {
        await using var engine = FakeEngine.Create(new FakeBackend(), new RefusingSealer());
        await engine.LoadModelAsync(FakeEngine.Options);
        var failure = await Engines.Failure(engine, FakeEngine.Request(1));
        Assert.Equal(InferenceFailureKind.SealingFailed, failure.Kind);
        Assert.DoesNotContain("epoch", failure.Message);
        Assert.Equal("the epoch has ended", failure.OperatorDetail);
    }

    [Fact]
    public async Task Infer_SinkThatIsFull_StillGivesTheReceipt()
    {
        var sink = new RecordingSink { Accepts = false };
        await using var engine = Engines.Create(new RecordingSealer(), sink);
        await engine.LoadModelAsync(Engines.Options("digits"));
        using var result = await engine.InferAsync(Engines.Digits(new float[64]));
        Assert.NotNull(result.Batch);
        Assert.False(result.IsHandedOver);
        Assert.Equal(1, engine.Statistics("digits")!.RefusedBySink);
    }

    [Fact]
    public async Task Infer_WithoutSealer_GivesNoBatch()
    {
        await using var engine = await Engines.CreateWith(Engines.Options("digits"));
        using var result = await engine.InferAsync(Engines.Digits(new float[64]));
        Assert.Null(result.Batch);
    }

    private sealed class RefusingSealer : IBatchSealer
    {
        public SealedBatch Seal(in BatchToSeal batch) => throw new SealingException("the epoch has ended");
    }
}
