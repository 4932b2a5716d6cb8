using System.Runtime.InteropServices;
using OpenGradient.Engine.Determinism;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Engine.Tests.Contract;

/// <summary>What every backend promises of bits: classes found by probing, and rows that come again. Run by each implementation.</summary>
public abstract class DeterminismContract
{
    // Far more than the cases take, so that a busy machine does not change what is found.
    private static readonly TimeSpan Budget = TimeSpan.FromMinutes(2);

    protected abstract ContractSubject Subject { get; }

    [ContractFact]
    public async Task Load_EveryModel_GetsItsClassAndTheCheapestRule_TwiceTheSame()
    {
        foreach (var (name, (expected, minimumRows)) in Subject.Classes)
        {
            for (var time = 0; time < 2; time++)
            {
                await using var engine = await Subject.CreateWith(Subject.Options(name) with { Determinism = null, ProbeBudget = Budget, Workers = 1 });
                var info = engine.Find(name)!;
                var probe = info.Probe!;
                Assert.True(expected == probe.Class, $"{name}: {probe}");
                Assert.Equal(new PaddingRule(minimumRows, 1), probe.Rule);
                Assert.Equal(expected, info.Context.Determinism);
                Assert.Equal(probe.Rule, PaddingRule.Of(info.Context));
                Assert.True(probe.Comparisons > 0);
                Assert.Equal(expected != DeterminismClass.C && name != "fixed", info.IsBatchable);
            }
        }
    }

    [ContractFact]
    public void Execute_AtAnySlot_GivesTheBitsOfTheRowsAlone()
    {
        using var model = Subject.Open("lengths");
        using var execution = new RowExecution(model);
        foreach (var (batchRows, firstSlot, rows) in ((int, int, int)[])[(1, 0, 1), (7, 4, 3), (64, 61, 3)])
        {
            RowTensor[] inputs = [Tensor([rows, 64], Engines.Pixels(3, rows))];
            Assert.Null(execution.Execute(inputs, rows, rows, 0, Neighbours.Zero));
            var expected = execution.OutputBytes(0).ToArray();
            foreach (var neighbours in (Neighbours[])[Neighbours.Zero, Neighbours.Copies, Neighbours.Random(5), Neighbours.Extreme(6)])
            {
                Assert.Null(execution.Execute(inputs, rows, batchRows, firstSlot, neighbours));
                Assert.True(execution.IsSliced);
                Assert.Equal([rows, 64], execution.OutputShape(0));
                Assert.Equal(expected, execution.OutputBytes(0));
            }
        }
    }

    [ContractFact]
    public async Task Execute_BatchAndSlotOfAnAnswer_ReproducesItsBits()
    {
        // Sums whose bits depend on batch size and slot: only the right ones reproduce them.
        foreach (var (name, width) in ((string, int)[])[("shape", 128 * 64), ("slot", 33)])
        {
            using var model = Subject.Open(name);
            using var execution = new RowExecution(model);
            await using var engine = await Subject.CreateWith(Subject.Options(name) with { Workers = 1, Determinism = DeterminismClass.B });
            await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
            {
                var random = new Random(i);
                var x = Enumerable.Range(0, width).Select(_ => random.NextSingle() - 0.5f).ToArray();
                long[] shape = name == "shape" ? [1, 128, 64] : [1, 33];
                using var result = await engine.InferAsync(new InferenceRequest(name).Add<float>("x", shape, x));
                lock (execution)
                {
                    Assert.Null(execution.Execute([Tensor(shape, x)], 1, result.BatchRows, result.FirstSlot, Neighbours.Random((ulong)i)));
                    Assert.Equal(result.Bytes(0), execution.OutputBytes(0));
                }
            }));
        }
    }

    [ContractFact]
    public void Execute_ModelWithoutRows_GivesItsWholeOutputs()
    {
        using var model = Subject.Open("fixed");
        using var execution = new RowExecution(model);
        Assert.False(execution.HasRows);
        Assert.Null(execution.Execute([Tensor([1, 4], [1f, 2, 3, 4])], 1, 1, 0, Neighbours.Zero));
        Assert.Equal([2f, 4, 6, 8], MemoryMarshal.Cast<byte, float>(execution.OutputBytes(0)).ToArray());
    }

    [ContractFact]
    public void Execute_WhatDoesNotFit_IsNamed()
    {
        using var model = Subject.Open("digits");
        using var execution = new RowExecution(model);
        foreach (var (rows, batchRows, firstSlot, expected) in ((int, int, int, string)[])[(1, 2, 2, "slot 2 of a batch of 2"), (2, 2, 0, "[1,64]"), (0, 1, 0, "0 rows")])
        {
            var error = Assert.Throws<ArgumentException>(() => { execution.Execute([Tensor([1, 64], new float[64])], rows, batchRows, firstSlot, Neighbours.Zero); });
            Assert.Contains(expected, error.Message);
        }

        var cut = Assert.Throws<ArgumentException>(() => { execution.Execute([new RowTensor(new long[] { 1, 64 }, new byte[4])], 1, 1, 0, Neighbours.Zero); });
        Assert.Contains("'pixels' has 4 bytes, its shape takes 256", cut.Message);
    }

    [ContractFact]
    public async Task Infer_RowsExecutedAgain_AreTheSame()
    {
        await using var engine = await Subject.CreateWith(Subject.Options("lengths") with { Determinism = DeterminismClass.A, RecheckOneIn = 1, Workers = 1 });
        for (var i = 0; i < 20 || engine.Statistics("lengths")!.Rechecks < 3; i++)
            (await engine.InferAsync(new InferenceRequest("lengths").Add<float>("x", [1, 64], Engines.Pixels(i)))).Dispose();
        Assert.Equal(0, engine.Statistics("lengths")!.RecheckMismatches);
        Assert.Equal(DeterminismClass.A, engine.Find("lengths")!.Context.Determinism);
    }

    private static RowTensor Tensor(long[] shape, float[] values) => new(shape, MemoryMarshal.AsBytes<float>(values).ToArray());
}
