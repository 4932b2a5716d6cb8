#pragma warning disable CA2012, xUnit1031 // the tasks are kept, awaited once each, and read only after they have completed

namespace OpenGradient.Engine.Engine.Tests;

public sealed class AllocationTests
{
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
}
