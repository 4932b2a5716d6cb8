using System.Collections.Concurrent;
using OpenGradient.Engine.Determinism;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Engine.Tests;

public sealed class RecheckTests
{
    // Far more than the probe takes, so that a busy machine does not change the class that it finds.
    private static readonly TimeSpan Budget = TimeSpan.FromMinutes(2);
    private static readonly ModelOptions EveryRow = FakeEngine.Options with { RecheckOneIn = 1, ProbeBudget = Budget };

    [Fact]
    public async Task Infer_HonestModel_IsComparedAndKeepsItsClass()
    {
        await using var engine = await Engines.CreateWith(Engines.Options("digits") with { RecheckOneIn = 1, ProbeBudget = Budget }, Engines.Options("slot") with { RecheckOneIn = 1, ProbeBudget = Budget });
        for (var i = 0; i < 20; i++)
        {
            var x = Enumerable.Range(i, 99).Select(value => 1f / (value + 1)).ToArray();
            await Task.WhenAll(
                Engines.Answer(engine, Engines.Digits(Engines.Pixels(i, rows: 3))),
                Engines.Answer(engine, Engines.Digits(Engines.Pixels(i))),
                Engines.Answer(engine, new InferenceRequest("slot").Add<float>("x", [3, 33], x)));
        }

        foreach (var (model, expected) in ((string, DeterminismClass)[])[("digits", DeterminismClass.A), ("slot", DeterminismClass.B)])
        {
            await Eventually(() => engine.Statistics(model)!.Rechecks > 0);
            Assert.Equal(0, engine.Statistics(model)!.RecheckMismatches);
            Assert.Equal(expected, engine.Find(model)!.Context.Determinism);
            Assert.Equal(ModelHealth.Ready, engine.Health(model)!.Health);
        }
    }

    [Theory]
    [InlineData(Influence.BatchSize, DeterminismClass.B, true)]
    [InlineData(Influence.Neighbours, DeterminismClass.U, false)]
    [InlineData(Influence.Calls, DeterminismClass.U, false)]
    internal async Task Infer_ModelThatStartsToLie_IsDemoted(Influence lie, DeterminismClass expected, bool batches)
    {
        var backend = new FakeBackend();
        var told = new ConcurrentQueue<ModelDemotion>();
        var sealer = new ContextSealer();
        await using var engine = new InferenceEngine(new InferenceEngineOptions { Backend = backend, Sealer = sealer, Demoted = told.Enqueue });
        Assert.Equal(DeterminismClass.A, (await engine.LoadModelAsync(EveryRow)).Context.Determinism);
        (await engine.InferAsync(FakeEngine.Request(1))).Dispose();
        // Not before: a row answered honestly and executed again by a liar would convict it of more.
        await Eventually(() => engine.Statistics("fake")!.Rechecks == 1);
        Assert.Equal(DeterminismClass.A, sealer.Last.Determinism);

        backend.Influence = lie;
        // A row in a batch of its own is the row alone, so it takes several to be caught; a comparison that still runs lets one batch pass.
        await Eventually(async () =>
        {
            await FourRows(engine);
            return !told.IsEmpty;
        });

        var demotion = Assert.Single(told);
        Assert.Equal((DeterminismClass.A, expected), (demotion.From, demotion.To));
        Assert.Contains("output 'y'", demotion.Reason);
        Assert.Equal(expected, engine.Find("fake")!.Context.Determinism);
        Assert.Equal(1, engine.Statistics("fake")!.RecheckMismatches);
        var health = engine.Health("fake")!;
        Assert.Equal(ModelHealth.Degraded, health.Health);
        Assert.Contains(health.Reasons, reason => reason == demotion.Reason);

        Assert.Equal(batches, engine.Find("fake")!.IsBatchable);
        Assert.Equal(batches, await Crowd.SharesCalls(engine, backend));
        Assert.Equal(expected, sealer.Last.Determinism);
    }

    [Fact]
    public async Task Infer_ClassBThatChangesWithItsNeighbours_IsDemoted()
    {
        var backend = new FakeBackend { Influence = Influence.BatchSize };
        await using var engine = FakeEngine.Create(backend);
        Assert.Equal(DeterminismClass.B, (await engine.LoadModelAsync(EveryRow)).Context.Determinism);
        backend.Influence = Influence.Neighbours;
        await Eventually(async () =>
        {
            await FourRows(engine);
            return engine.Find("fake")!.Context.Determinism == DeterminismClass.U;
        });
        Assert.False(await Crowd.SharesCalls(engine, backend));
    }

    [Fact]
    public async Task Infer_DemotedButAlwaysBatched_GoesOnSharingCalls()
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(EveryRow with { BatchAcrossCallers = BatchAcrossCallers.Always });
        backend.Influence = Influence.Neighbours;
        await Eventually(async () =>
        {
            await FourRows(engine);
            return engine.Find("fake")!.Context.Determinism == DeterminismClass.U;
        });
        Assert.True(await Crowd.SharesCalls(engine, backend));
    }

    [Fact]
    public async Task Infer_RecheckSwitchedOff_ExecutesEachRowOnce()
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(EveryRow with { RecheckOneIn = 0 });
        var before = backend.Calls;
        for (var i = 0; i < 50; i++) (await engine.InferAsync(FakeEngine.Request(i))).Dispose();
        Assert.Equal(50, backend.Calls - before);
        Assert.Equal(0, engine.Statistics("fake")!.Rechecks);
    }

    [Fact]
    public async Task Infer_OneInAHundred_ExecutesAboutSoMany()
    {
        const int Rows = 20_000;
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(EveryRow with { RecheckOneIn = 100 });
        for (var i = 0; i < Rows; i++) (await engine.InferAsync(FakeEngine.Request(i))).Dispose();
        // Fewer when the one before still ran.
        await Eventually(() => engine.Statistics("fake")!.Rechecks >= 1);
        Assert.InRange(engine.Statistics("fake")!.Rechecks, 1, Rows / 100 * 5 / 4);
    }

    [Fact]
    public async Task Unload_WhileARowIsExecutedAgain_WaitsForIt()
    {
        var backend = new FakeBackend();
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(EveryRow with { ExecutionTimeout = TimeSpan.FromMinutes(5) });
        backend.CloseGateAfter(1);
        (await engine.InferAsync(FakeEngine.Request(1))).Dispose();
        // The comparison now waits at the gate.
        await backend.Arrived.WaitAsync();
        var unloading = engine.UnloadModelAsync("fake");
        Assert.False(unloading.IsCompleted);
        backend.OpenGate();
        Assert.True(await unloading);
        Assert.Single(backend.Disposed);
    }

    private static async Task FourRows(InferenceEngine engine) =>
        (await engine.InferAsync(new InferenceRequest("fake").Add<float>("x", [4, 1], new float[] { 1, 2, 3, 4 }))).Dispose();

    private static Task Eventually(Func<bool> condition) => Eventually(() => Task.FromResult(condition()));

    private static async Task Eventually(Func<Task<bool>> condition)
    {
        for (var attempt = 0; attempt < 30_000; attempt++)
        {
            if (await condition()) return;
            await Task.Delay(10);
        }

        Assert.Fail("it never came true");
    }

    /// <summary>Keeps the context of the last batch; nobody signs.</summary>
    private sealed class ContextSealer : IBatchSealer
    {
        private volatile byte[] _last = [];

        public StatementContext Last => StatementContext.Decode(_last);

        public SealedBatch Seal(in BatchToSeal batch)
        {
            _last = batch.Context.ToArray();
            return new SealedBatch([1], new byte[batch.Rows.Length * RowLeaf.Size], new byte[RowTree.NodeCount(batch.Rows.Length) * Hash256.Size]);
        }
    }
}

/// <summary>Several callers at once, held back until all of them wait.</summary>
internal static class Crowd
{
    /// <summary>Whether the backend saw them in fewer calls than there were callers.</summary>
    public static async Task<bool> SharesCalls(InferenceEngine engine, FakeBackend backend)
    {
        const int Callers = 6;
        backend.CloseGate();
        var tasks = new List<Task<int>> { BatchRows(engine, 1) };
        // Claimed: what comes now waits for the next call.
        while (engine.Statistics("fake")!.Waiting > 0) await Task.Delay(1);
        for (var i = 0; i < Callers; i++) tasks.Add(BatchRows(engine, 2 + i));
        while (engine.Statistics("fake")!.Waiting < Callers) await Task.Delay(1);
        backend.OpenGate();
        return (await Task.WhenAll(tasks)).Any(rows => rows > 1);
    }

    private static async Task<int> BatchRows(InferenceEngine engine, float x)
    {
        using var result = await engine.InferAsync(FakeEngine.Request(x));
        return result.BatchRows;
    }
}
