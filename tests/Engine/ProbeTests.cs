using OpenGradient.Engine.Determinism;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Engine.Tests;

public sealed class ProbeTests
{
    // Far more than the cases take, so that a busy machine does not change what is found.
    private static readonly TimeSpan Budget = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData(Influence.None, DeterminismClass.A, "no padding")]
    [InlineData(Influence.BatchSize, DeterminismClass.B, "is not that of the row alone")]
    [InlineData(Influence.Neighbours, DeterminismClass.C, "when its neighbours do")]
    [InlineData(Influence.Calls, DeterminismClass.U, "twice gives different bits")]
    internal async Task Load_WhatGoesIntoARow_DecidesTheClass(Influence influence, DeterminismClass expected, string words)
    {
        var info = await Load(new FakeBackend { Influence = influence }, FakeEngine.Options with { ProbeBudget = Budget });
        Assert.Equal(expected, info.Probe!.Class);
        Assert.Contains(words, info.Probe.ToString());
        Assert.Equal(expected != DeterminismClass.C, info.IsBatchable);
    }

    [Fact]
    public async Task Load_ClassC_IsBatchedOnlyIfTheOperatorSaysSo()
    {
        foreach (var (policy, shared) in ((BatchAcrossCallers, bool)[])[(BatchAcrossCallers.Auto, false), (BatchAcrossCallers.Always, true)])
        {
            var backend = new FakeBackend { Influence = Influence.Neighbours };
            await using var engine = FakeEngine.Create(backend);
            var info = await engine.LoadModelAsync(FakeEngine.Options with { BatchAcrossCallers = policy, ProbeBudget = Budget });
            Assert.Equal(shared, info.IsBatchable);
            Assert.Equal(shared, await Crowd.SharesCalls(engine, backend));
        }
    }

    [Fact]
    public async Task Load_ModelThatRefusesEverything_HasNoClassAndSaysWhy()
    {
        var info = await Load(new FakeBackend { RefusesAll = true }, FakeEngine.Options with { ProbeBudget = Budget });
        Assert.Equal(DeterminismClass.U, info.Context.Determinism);
        Assert.Contains("refuses random inputs (Refused)", info.Probe!.Reason);
    }

    [Fact]
    public async Task Load_OutputsThatIgnoreRows_AreReproducedByTheirBatch()
    {
        var info = await Load(new FakeBackend { OutputsIgnoreRows = true }, FakeEngine.Options with { ProbeBudget = Budget });
        Assert.Equal(DeterminismClass.B, info.Context.Determinism);
        Assert.False(info.IsBatchable);
    }

    [Fact]
    public async Task Load_CallThatOutlivesTheBudget_IsStoppedAndHasNoClass()
    {
        await using var engine = await Engines.CreateWith(Engines.Options("slow") with { ExecutionTimeout = TimeSpan.FromMilliseconds(20), Workers = 1 });
        var probe = engine.Find("slow")!.Probe!;
        Assert.Equal(DeterminismClass.U, probe.Class);
        Assert.Contains("a call takes longer", probe.Reason);
    }

    [Fact]
    public async Task Load_WithoutBudget_IsNotProbed()
    {
        var backend = new FakeBackend();
        var info = await Load(backend, FakeEngine.Options with { ProbeBudget = TimeSpan.Zero });
        Assert.Equal(DeterminismClass.U, info.Context.Determinism);
        Assert.Contains("switched off", info.Probe!.Reason);
        // What is left is warming up: as many calls as for a class that is stated.
        var stated = new FakeBackend();
        await Load(stated, FakeEngine.Options with { Determinism = DeterminismClass.U });
        Assert.Equal(stated.Calls, backend.Calls);
    }

    [Fact]
    public async Task Load_StatedClass_IsTakenAtItsWord()
    {
        var info = await Load(new FakeBackend { Influence = Influence.Neighbours }, FakeEngine.Options with { Determinism = DeterminismClass.A, MinimumRows = 2 });
        Assert.Equal(DeterminismClass.A, info.Context.Determinism);
        Assert.Equal(2u, info.Context.MinimumRows);
        Assert.Null(info.Probe);
        Assert.True(info.IsBatchable);
    }

    [Fact]
    public async Task Load_RuleThatDoesNotDivideTheLimit_RoundsItDown()
    {
        var options = Engines.Options("digits") with { MaxBatch = 63, PaddingMultiple = 1, MaxRowsPerRequest = 63 };
        var info = await Load(new FakeBackend { MultipleThatHolds = 4 }, FakeEngine.Options with { ProbeBudget = Budget, MaxBatch = 63, MaxRowsPerRequest = 63 });
        Assert.Equal(new PaddingRule(1, 4), info.Probe!.Rule);
        Assert.Equal(60, info.Options.MaxBatch);
        Assert.Equal(60, info.Options.MaxRowsPerRequest);
        Assert.Contains("MaxBatch", Assert.Throws<ArgumentException>(() => (options with { PaddingMultiple = 4 }).Validate()).Message);
        Assert.Contains("MinimumRows", Assert.Throws<ArgumentException>(() => (options with { MinimumRows = 64 }).Validate()).Message);
    }

    [Fact]
    public async Task Infer_RuleThatTheProbeFound_IsApplied()
    {
        await using var engine = await Engines.CreateWith(Engines.Options("shape") with { ProbeBudget = Budget, Workers = 1 });
        var random = new Random(1);
        var x = Enumerable.Range(0, 128 * 64).Select(_ => random.NextSingle() - 0.5f).ToArray();
        using var alone = await engine.InferAsync(new InferenceRequest("shape").Add<float>("x", [1, 128, 64], x));
        Assert.Equal(2, alone.BatchRows);
        using var three = await engine.InferAsync(new InferenceRequest("shape").Add<float>("x", [3, 128, 64], (float[])[.. x, .. x, .. x]));
        Assert.Equal(3, three.BatchRows);
        Assert.Equal(three.Bytes(0)[..alone.Bytes(0).Length], alone.Bytes(0));
    }

    private static async Task<ModelInfo> Load(FakeBackend backend, ModelOptions options)
    {
        await using var engine = FakeEngine.Create(backend);
        return await engine.LoadModelAsync(options);
    }
}
