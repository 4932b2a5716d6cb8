using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Models;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Engine.Tests;

public sealed class LatencyModeTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Open_IntraOpThreads_MakesThatManyThreads(int threads)
    {
        // A thread's children inherit its name, which tells them from those of tests that run beside this one.
        var name = $"og opener {threads}";
        int opened = 0, closed = 0;
        var thread = new Thread(() =>
        {
            var backend = new OnnxRuntimeBackend(TestFiles.Library);
            using var artifact = new ArtifactReader(backend).Read(Engines.Options("digits"));
            using (backend.Open("digits", artifact, new ExecutionOptions { IntraOpThreads = threads })) opened = ThreadsNamed(name);
            closed = ThreadsNamed(name);
        }) { Name = name };
        thread.Start();
        thread.Join();
        // The caller is one of them.
        Assert.Equal((threads, 1), (opened, closed));
    }

    [Theory]
    [InlineData(2, 64, false, "AllowOversubscription")]
    [InlineData(0, null, false, "IntraOpThreads")]
    [InlineData(257, null, true, "IntraOpThreads")]
    public void Validate_MoreThreadsThanCores_NamesTheOption(int threads, int? workers, bool allowed, string option)
    {
        var options = Latency(threads) with { Workers = workers, AllowOversubscription = allowed };
        Assert.Contains(option, Assert.Throws<ArgumentException>(options.Validate).Message);
        if (workers is not null) (options with { AllowOversubscription = true }).Validate();
    }

    [Fact]
    public void Validate_OneThreadPerCall_WorkersMayOutnumberCores() => (Latency(1) with { Workers = 64 }).Validate();

    [Fact]
    public void Validate_AllCoresInOneCall_IsOneWorker() => (Latency(Environment.ProcessorCount) with { Workers = 1 }).Validate();

    private static ModelOptions Latency(int threads) => Engines.Options("digits") with { Execution = new ExecutionOptions { IntraOpThreads = threads } };

    private static int ThreadsNamed(string name) => Directory.GetDirectories("/proc/self/task").Count(task =>
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).TrimEnd() == name;
        }
        catch (IOException)
        {
            return false;
        }
    });
}
