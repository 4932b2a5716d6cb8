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
    public async Task Infer_KeyReplacedWhileABatchExecutes_IsSealedByTheKeyOfItsBeginning()
    {
        var (backend, sealer) = (new FakeBackend(), new RotatingSealer());
        await using var engine = FakeEngine.Create(backend, sealer);
        await engine.LoadModelAsync(FakeEngine.Options);
        for (var key = 1; key <= 3; key++)
        {
            sealer.Key = key;
            backend.Executing = _ => sealer.Key = 99;
            using var result = await engine.InferAsync(FakeEngine.Request(key));
            Assert.Equal((byte)key, result.Batch!.Statement.Span[0]);
            Assert.Equal(99, sealer.Key);
        }
    }

    [Fact]
    public async Task Infer_WithoutSealer_GivesNoBatch()
    {
        await using var engine = await Engines.CreateWith(Engines.Options("digits"));
        using var result = await engine.InferAsync(Engines.Digits(new float[64]));
        Assert.Null(result.Batch);
    }

    /// <summary>Its statements are the number of the key.</summary>
    private sealed class RotatingSealer : IBatchSealer
    {
        public volatile int Key;

        public SealedBatch Seal(in BatchToSeal batch) => throw new InvalidOperationException("a batch asks for its own sealer");

        public IBatchSealer ForBatch() => new OfOneKey((byte)Key);

        private sealed class OfOneKey(byte key) : IBatchSealer
        {
            public SealedBatch Seal(in BatchToSeal batch)
            {
                var made = new RecordingSealer().Seal(batch);
                return new SealedBatch([key], made.LeafPreimage(0).ToArray(), made.LeafHash(0).ToArray());
            }
        }
    }

    private sealed class RefusingSealer : IBatchSealer
    {
        public SealedBatch Seal(in BatchToSeal batch) => throw new SealingException("the epoch has ended");
    }
}
