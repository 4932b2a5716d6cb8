#pragma warning disable CA2012, xUnit1031 // the tasks are kept, awaited once each, and read only after they have completed

namespace OpenGradient.Engine.Engine.Tests;

[Collection(Undisturbed)]
public sealed class AllocationTests
{
    /// <summary>The tests that listen to meters and spans run apart from those that count what is allocated when nobody does.</summary>
    public const string Undisturbed = "undisturbed";

    /// <summary>Admission and reading are the caller's thread; what the worker's side allocates shows in the process-wide figure of the benchmark.</summary>
    [Theory]
    [InlineData(null, RequestPriority.Normal)]
    [InlineData("caller", RequestPriority.Normal)]
    [InlineData("caller", RequestPriority.High)]
    public async Task Infer_SteadyState_AllocatesNothingOnTheCallersThread(string? caller, RequestPriority priority)
    {
        const int Calls = 200;
        await using var engine = await Engines.CreateWith(Engines.Options("noop"));
        var request = new InferenceRequest("noop") { Caller = caller, Priority = priority };
        long[] shape = [1, 1];
        var x = new float[1];
        var tasks = new ValueTask<InferenceResult>[Calls];
        // The least of many rounds: pools and the runtime's own caches still grow in the first ones.
        long admitted = long.MaxValue, taken = long.MaxValue;
        for (var round = 0; round < 20; round++)
        {
            var start = GC.GetAllocatedBytesForCurrentThread();
            request.Clear();
            request.Add<float>("x", shape, x);
            for (var i = 0; i < Calls; i++) tasks[i] = engine.InferAsync(request);
            admitted = Math.Min(admitted, GC.GetAllocatedBytesForCurrentThread() - start);
            SpinWait.SpinUntil(() => tasks.All(task => task.IsCompleted));
            start = GC.GetAllocatedBytesForCurrentThread();
            foreach (var task in tasks)
            {
                using var result = task.GetAwaiter().GetResult();
                if (result.Values<float>(0).Length != 1) Assert.Fail("no output");
            }

            taken = Math.Min(taken, GC.GetAllocatedBytesForCurrentThread() - start);
        }

        Assert.Equal(0, admitted);
        Assert.Equal(0, taken);
    }

    /// <summary>The worker's side: times, sizes and spans of a batch cost nothing when nobody listens.</summary>
    [Fact]
    public async Task Batch_SteadyStateAndNoListener_AllocatesNothingOnTheWorkersThread()
    {
        long last = 0, least = long.MaxValue, own = 0;
        var thread = 0;
        var backend = new FakeBackend
        {
            Working = () =>
            {
                // Two calls in a row on one thread: between them lie the end of one batch and the beginning of the next.
                var now = GC.GetAllocatedBytesForCurrentThread();
                if (thread == Environment.CurrentManagedThreadId) least = Math.Min(least, now - last);
                thread = Environment.CurrentManagedThreadId;
                GC.KeepAlive(new long[2]);
                last = GC.GetAllocatedBytesForCurrentThread();
                own = last - now;
            },
        };
        await using var engine = FakeEngine.Create(backend);
        await engine.LoadModelAsync(FakeEngine.Options with { Placement = WorkerPlacement.OwnThreads, AllowBatching = false });
        for (var round = 0; round < 20; round++)
        {
            var calls = Enumerable.Range(0, 50).Select(i => engine.InferAsync(FakeEngine.Request(i)).AsTask()).ToArray();
            foreach (var call in calls) (await call).Dispose();
        }

        // The double makes its output's shape anew in each call, an array of two numbers; nothing else is made.
        Assert.Equal(own, least);
    }
}
