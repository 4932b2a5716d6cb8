#pragma warning disable CA2201 // a double throws what only the runtime should

using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Engine.Tests.Faults;

/// <summary>What a backend, a sealer or a sink does that it should not: the caller gets a failure of the closed set, the worker goes on.</summary>
public sealed class OddBackendTests
{
    // Row −1 spoils the call that it is part of.
    private const long Poison = -1;

    public static TheoryData<string> Exceptions => ["OutOfMemoryException", "NullReferenceException", "OperationCanceledException", "ObjectDisposedException", "OverflowException"];

    [Theory]
    [MemberData(nameof(Exceptions))]
    public async Task Infer_BackendThatThrowsForOneRow_FailsThatRowOnly(string kind)
    {
        var backend = new OddBackend { Call = buffers => OddBackend.Inputs(buffers).Contains(Poison) ? throw Make(kind) : null };
        await using var engine = backend.Engine();
        await engine.LoadModelAsync(OddBackend.Options with { Workers = 1 });
        var outcomes = await Together(engine, backend, [1, Poison, 3]);
        Assert.Equal([true, false, true], outcomes.Select(outcome => outcome.IsSuccess));
        Assert.Equal(3, outcomes[2].Result.Values<long>(0)[0]);
        var failure = outcomes[1].Failure!;
        Assert.Equal(InferenceFailureKind.BackendFailed, failure.Kind);
        Assert.DoesNotContain("secret", failure.Message);
        Assert.Contains("secret", failure.OperatorDetail);
        foreach (var outcome in outcomes.Where(outcome => outcome.IsSuccess)) outcome.Result.Dispose();
    }

    [Fact]
    public async Task Infer_MemoryThatRanOut_IsNamed()
    {
        var backend = new OddBackend { Call = _ => throw new OutOfMemoryException() };
        await using var engine = backend.Engine();
        await engine.LoadModelAsync(OddBackend.Options);
        Assert.Contains("out of memory", (await Engines.Failure(engine, OddBackend.Request(1, 1))).Message);
        backend.Call = null;
        using var good = await engine.InferAsync(OddBackend.Request(5, 6));
        Assert.Equal([5L, 6], good.Values<long>(0).ToArray());
    }

    [Fact]
    public async Task Infer_OutputsTooLargeToKeep_FailTheirRequestOnly()
    {
        // 2 GiB and more of outputs do not fit an array. Nothing reads them: the size is refused before.
        var backend = new OddBackend { Output = new TensorSpec("y", ElementType.Int64, [-1, -1], ["batch", null]) };
        await using var engine = backend.Engine();
        await engine.LoadModelAsync(OddBackend.Options);
        backend.Call = buffers =>
        {
            buffers.OutputShapes[0] = [buffers.Rows, 1 << 30];
            buffers.OutputBytes[0] = buffers.Rows * (8L << 30);
            return null;
        };
        Assert.Equal(InferenceFailureKind.BackendFailed, (await Engines.Failure(engine, OddBackend.Request(1, 1))).Kind);
        backend.Call = null;
        (await engine.InferAsync(OddBackend.Request(1, 2))).Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Infer_FaultsAndExceptionsAtRandom_GiveEachRequestItsOwnAnswerOrAFailure(int seed)
    {
        const int Callers = 64, Each = 50;
        var random = new Random(seed);
        var backend = new OddBackend();
        await using var engine = backend.Engine();
        await engine.LoadModelAsync(OddBackend.Options with { MaxBatch = 16 });
        backend.Call = buffers => Roll(random, 5) switch
        {
            0 => new BackendFault("Refused", "at random"),
            1 => throw Make(((string[])["OutOfMemoryException", "NullReferenceException", "OverflowException"])[Roll(random, 3)]),
            2 => Lie(buffers),
            _ => null,
        };
        var answered = await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            var right = 0;
            for (var i = 0; i < Each; i++)
            {
                var outcome = await engine.TryInferAsync(OddBackend.Request(caller, i));
                if (outcome.Failure is { } failure)
                {
                    Assert.Equal(InferenceFailureKind.BackendFailed, failure.Kind);
                    continue;
                }

                using var result = outcome.Result;
                Assert.Equal([caller, i], result.Values<long>(0).ToArray());
                right++;
            }

            return right;
        })));
        Assert.InRange(answered.Sum(), 1, (Callers * Each) - 1);
        var statistics = engine.Statistics("odd")!;
        Assert.Equal(Callers * Each, statistics.Requests);
        Assert.Equal(0, statistics.Waiting);
        await Quiet.Holds(() => engine.Statistics("odd")!.Leased == 0, "every request came back to the pool");
        backend.Call = null;
        (await engine.InferAsync(OddBackend.Request(1, 2))).Dispose();
    }

    [Fact]
    public async Task Load_BackendThatThrowsAtWarmUp_StillServesWhatItCan()
    {
        var backend = new OddBackend { Call = buffers => OddBackend.Inputs(buffers)[0] == 0 ? throw Make("NullReferenceException") : null };
        await using var engine = backend.Engine();
        await engine.LoadModelAsync(OddBackend.Options);
        using var result = await engine.InferAsync(OddBackend.Request(7, 8));
        Assert.Equal([7L, 8], result.Values<long>(0).ToArray());
    }

    [Fact]
    public async Task Infer_SealerThatThrowsAnything_GivesNoAnswerAndCallsTheBackendOnce()
    {
        var backend = new OddBackend();
        var engine = backend.Engine(new OddSealer());
        await engine.LoadModelAsync(OddBackend.Options with { Workers = 1 });
        var before = engine.Statistics("odd")!.Batches;
        var outcomes = await Together(engine, backend, [1, 2, 3]);
        Assert.All(outcomes, outcome => Assert.Equal(InferenceFailureKind.SealingFailed, outcome.Failure!.Kind));
        // The one that held the worker, and the three together: no row is at fault, so none is tried alone.
        Assert.Equal(2, engine.Statistics("odd")!.Batches - before);
        await engine.DisposeAsync();
        Assert.Equal((0, 0), (backend.Models, backend.Executors));
    }

    /// <summary>Requests that share one call: they wait while a first one holds the only worker.</summary>
    private static async Task<InferenceOutcome[]> Together(InferenceEngine engine, OddBackend backend, long[] rows)
    {
        var inner = backend.Call;
        using var arrived = new SemaphoreSlim(0);
        using var gate = new ManualResetEventSlim();
        backend.Call = buffers =>
        {
            if (OddBackend.Inputs(buffers)[0] == long.MaxValue)
            {
                arrived.Release();
                gate.Wait();
            }

            return inner?.Invoke(buffers);
        };
        var first = engine.TryInferAsync(OddBackend.Request(long.MaxValue, 0)).AsTask();
        await arrived.WaitAsync();
        var waiting = rows.Select(row => engine.TryInferAsync(OddBackend.Request(row, 0)).AsTask()).ToArray();
        gate.Set();
        var held = await first;
        if (held.IsSuccess) held.Result.Dispose();
        return await Task.WhenAll(waiting);
    }

    private static BackendFault? Lie(ExecutionBuffers buffers)
    {
        buffers.OutputShapes[0] = [buffers.Rows, 3];
        return null;
    }

    private static Exception Make(string kind) => kind switch
    {
        "OutOfMemoryException" => new OutOfMemoryException("secret"),
        "NullReferenceException" => new NullReferenceException("secret"),
        "OperationCanceledException" => new OperationCanceledException("secret"),
        "ObjectDisposedException" => new ObjectDisposedException("secret"),
        _ => new OverflowException("secret"),
    };

    private static int Roll(Random random, int sides)
    {
        lock (random) return random.Next(sides);
    }

    private sealed class OddSealer : IBatchSealer
    {
        public SealedBatch Seal(in BatchToSeal batch) => throw new InvalidOperationException("not what a sealer throws");
    }
}
