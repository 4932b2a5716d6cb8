using System.Runtime.InteropServices;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Engine.Tests.Faults;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Engine.Tests.Contract;

/// <summary>What every backend promises while it serves. Run by each implementation.</summary>
public abstract class ServingContract
{
    protected abstract ContractSubject Subject { get; }

    [ContractFact]
    public async Task Infer_64ConcurrentCallers_GetTheBitsOfALoneRow()
    {
        const int Callers = 64, Each = 20;
        await using var alone = await Subject.CreateWith(Subject.Options("digits") with { MaxBatch = 1, Workers = 1 });
        var expected = new byte[Callers][];
        for (var i = 0; i < Callers; i++) expected[i] = await Engines.Answer(alone, Engines.Digits(Engines.Pixels(i)));

        foreach (var placement in (WorkerPlacement[])[WorkerPlacement.ThreadPool, WorkerPlacement.OwnThreads])
        {
            // Probed: a backend whose rows depend on their batch gets the padding that they need.
            await using var engine = await Subject.CreateWith(Subject.Options("digits") with { Placement = placement, Determinism = null });
            var isInvariant = engine.Find("digits")!.Context is { Determinism: Formats.DeterminismClass.A, PaddingMultiple: 1, MinimumRows: 1 };
            await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
            {
                for (var i = 0; i < Each; i++)
                {
                    var answer = await Engines.Answer(engine, Engines.Digits(Engines.Pixels((caller + i) % Callers)));
                    if (isInvariant) Assert.Equal(expected[(caller + i) % Callers], answer);
                    else Assert.All(Floats(expected[(caller + i) % Callers]).Zip(Floats(answer)), pair => Assert.Equal(pair.First, pair.Second, 1e-3));
                }
            })));
            var statistics = engine.Statistics("digits")!;
            Assert.Equal(Callers * Each, statistics.Requests);
            Assert.True(statistics.Batches < statistics.Requests, "nothing was batched");
        }
    }

    [ContractFact]
    public async Task Infer_ManyRows_AreAnsweredInOrder()
    {
        await using var engine = await Subject.CreateWith(Subject.Options("identity"));
        float[] x = [.. Enumerable.Range(0, 20).Select(i => (float)i)];
        using var together = await engine.InferAsync(new InferenceRequest("identity").Add<float>("x", [5, 4], x));
        Assert.Equal([5, 4], together.Shape(0));
        Assert.Equal(x, together.Values<float>(0));
    }

    [ContractFact]
    public async Task Infer_SeveralOutputs_HaveTheirShapesAndTypes()
    {
        await using var engine = await Subject.CreateWith(Subject.Options("digits"));
        using var result = await engine.InferAsync(Engines.Digits(Engines.Pixels(7, rows: 5)));
        Assert.Equal([5, 10], result.Shape(0));
        Assert.Equal([5], result.Shape(1));
        for (var row = 0; row < 5; row++)
        {
            var logits = result.Values<float>(0).Slice(row * 10, 10).ToArray();
            Assert.Equal(Array.IndexOf(logits, logits.Max()), result.Values<long>(1)[row]);
        }
    }

    [ContractFact]
    public async Task Infer_FixedFirstDimension_RunsOneRequestPerCall()
    {
        await using var engine = await Subject.CreateWith(Subject.Options("fixed"));
        Assert.False(engine.Find("fixed")!.IsBatchable);
        await Task.WhenAll(Enumerable.Range(0, 32).Select(async i =>
        {
            using var result = await engine.InferAsync(new InferenceRequest("fixed").Add<float>("x", [1, 4], new float[] { i, 1, 2, 3 }));
            Assert.Equal<float>([2f * i, 2, 4, 6], result.Values<float>(0).ToArray());
        }));
        Assert.Equal(32, engine.Statistics("fixed")!.Batches);
    }

    [ContractFact]
    public async Task Infer_SeveralTypes_ComeBackUnchanged()
    {
        await using var engine = await Subject.CreateWith(Subject.Options("multi"));
        var inputs = engine.Find("multi")!.Inputs;
        var request = new InferenceRequest("multi");
        var sent = new Dictionary<string, byte[]>();
        // In reverse: names, not positions, say which is which.
        foreach (var input in inputs.Reverse())
        {
            var bytes = new byte[6 * ElementTypes.SizeOf(input.Type)];
            new Random(3).NextBytes(bytes);
            if (input.Type == ElementType.Bool) for (var i = 0; i < bytes.Length; i++) bytes[i] &= 1;
            if (input.Type is ElementType.Float32 or ElementType.Float64) Array.Clear(bytes);
            sent[input.Name] = bytes;
            request.Add(input.Name, input.Type, [3, 2], bytes);
        }

        using var result = await engine.InferAsync(request);
        foreach (var input in inputs) Assert.Equal(sent[input.Name], result.Bytes(result.IndexOf(input.Name + "_out")));
    }

    [ContractFact]
    public async Task Infer_Encoder_AnswersDoNotDependOnTheNeighbours()
    {
        await using var engine = await Subject.CreateWith(Subject.Options("encoder") with { MaxBatch = 8 });
        var alone = await Embedding(engine, 0);
        var crowd = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Embedding(engine, i)));
        Assert.All(alone.Zip(crowd[0]), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        Assert.NotEqual(crowd[0], crowd[1]);
    }

    [ContractFact]
    public async Task Infer_RowsOfSeveralLengths_EachGetItsOwn()
    {
        await using var engine = await Subject.CreateWith(Subject.Options("lengths") with { MaxBatch = 8 });
        await Task.WhenAll(Enumerable.Range(0, 64).Select(async i =>
        {
            var x = Enumerable.Range(0, 1 + (i % 7)).Select(each => (float)(each * i) / 10).ToArray();
            using var result = await engine.InferAsync(new InferenceRequest("lengths").Add<float>("x", [1, x.Length], x));
            Assert.Equal([1, x.Length], result.Shape(0));
            var sum = x.Sum(MathF.Exp);
            Assert.All(x.Zip(result.Values<float>(0).ToArray()), pair => Assert.Equal(MathF.Exp(pair.First) / sum, pair.Second, 1e-5));
        }));
    }

    [ContractFact]
    public async Task Infer_NaNOfOneRow_LeavesItsNeighboursTheirBits()
    {
        await using var engine = await Subject.CreateWith(Subject.Options("nan"));
        float[] x = [1, 2, 3, 4, -1, 0, float.NaN, float.PositiveInfinity, 1, 2, 3, 4];
        using var result = await engine.InferAsync(new InferenceRequest("nan").Add<float>("x", [3, 4], x));
        var y = result.Values<float>(0).ToArray();
        Assert.Equal(y[..4], y[8..]);
        Assert.Equal([float.NaN, float.NegativeInfinity, float.NaN, float.PositiveInfinity], y[4..8]);
    }

    [ContractFact]
    public async Task Infer_Padding_FillsTheBatchWithRowsNobodySees()
    {
        await using var engine = await Subject.CreateWith(Subject.Options("digits") with { PaddingMultiple = 4 });
        using var result = await engine.InferAsync(Engines.Digits(Engines.Pixels(1)));
        Assert.Equal(4, result.BatchRows);
        Assert.Equal([1, 10], result.Shape(0));
    }

    [ContractFact]
    public async Task Infer_EveryBadInput_IsRefusedAndTheNextGoodOneAnswered()
    {
        await using var engine = await Subject.CreateWith(
            [.. BadInputs.Models.Select(model => model with { Path = Subject.File(model.Name), Determinism = Formats.DeterminismClass.A })]);
        foreach (var bad in BadInputs.All)
        {
            var failure = await Engines.Failure(engine, bad.Make());
            Assert.True(bad.Kind == failure.Kind && failure.Message.Contains(bad.Says, StringComparison.Ordinal), $"{bad.Name}: {failure.Kind} {failure.Message}");
            Assert.Equal(10 * sizeof(float), (await Engines.Answer(engine, Engines.Digits(new float[64]))).Length);
        }
    }

    [ContractFact]
    public async Task Infer_SlowModel_IsStoppedInsideTheRuntime()
    {
        if (!Subject.StopsCalls) return;
        await using var engine = await Subject.CreateWith(Subject.Options("slow") with { ExecutionTimeout = TimeSpan.FromMilliseconds(20), Workers = 1 });
        for (var time = 0; time < 2; time++)
        {
            var failure = await Engines.Failure(engine, new InferenceRequest("slow").Add<float>("x", [1, 1], new float[1]));
            Assert.Equal(InferenceFailureKind.ExecutionTimeout, failure.Kind);
            Assert.Contains("20 ms", failure.Message);
        }

        Assert.Equal(ModelHealth.Ready, engine.Health("slow")!.Health);
    }

    [ContractFact]
    public unsafe void Execute_Terminated_FailsUntilThatIsTakenBack()
    {
        using var model = Subject.Open("noop");
        using var executor = model.CreateExecutor();
        using var buffers = Buffers(model, 3f);
        executor.Terminate();
        Assert.NotNull(executor.Execute(buffers));
        executor.ClearTermination();
        Assert.Null(executor.Execute(buffers));
        Assert.Equal(3f, *(float*)buffers.OutputData[0]);
    }

    [ContractFact]
    public unsafe void Execute_SeveralExecutorsAtOnce_GiveEachItsOwnOutputs()
    {
        using var model = Subject.Open("noop");
        Parallel.For(0, 8, number =>
        {
            using var executor = model.CreateExecutor();
            using var buffers = Buffers(model, number);
            for (var i = 0; i < 500; i++)
            {
                Assert.Null(executor.Execute(buffers));
                Assert.Equal(number, *(float*)buffers.OutputData[0]);
            }
        });
    }

    [ContractFact]
    public void Execute_SteadyState_AllocatesNothing()
    {
        if (!Subject.IsAllocationFree) return;
        using var model = Subject.Open("digits");
        using var executor = model.CreateExecutor();
        using var buffers = new ExecutionBuffers(model.Inputs, model.Outputs);
        buffers.ReserveInput(0, 64 * sizeof(float));
        buffers.Rows = 1;
        buffers.InputShapes[0][0] = 1;
        buffers.InputShapes[0][1] = 64;
        var least = long.MaxValue;
        for (var round = 0; round < 20; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 50; i++)
                if (executor.Execute(buffers) is { } fault) Assert.Fail(fault.Detail);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    private static unsafe ExecutionBuffers Buffers(IBackendModel model, float value)
    {
        var buffers = new ExecutionBuffers(model.Inputs, model.Outputs);
        buffers.ReserveInput(0, sizeof(float));
        *(float*)buffers.Input(0) = value;
        buffers.Rows = 1;
        buffers.InputShapes[0][0] = buffers.InputShapes[0][1] = 1;
        return buffers;
    }

    private static float[] Floats(byte[] bytes) => MemoryMarshal.Cast<byte, float>(bytes).ToArray();

    private static async Task<float[]> Embedding(InferenceEngine engine, int seed)
    {
        var ids = Enumerable.Range(0, 32).Select(i => (long)((seed * 7) + i) % 256).ToArray();
        var mask = Enumerable.Range(0, 32).Select(i => i <= 8 + (seed % 20) ? 1L : 0L).ToArray();
        using var result = await engine.InferAsync(
            new InferenceRequest("encoder").Add<long>("input_ids", [1, 32], ids).Add<long>("attention_mask", [1, 32], mask));
        return result.Values<float>(0).ToArray();
    }
}
