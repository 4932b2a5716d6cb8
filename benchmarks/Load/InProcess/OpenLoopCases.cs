using OpenGradient.Engine.Load.Report;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Load.InProcess;

/// <summary>The open loop at one or several rates.</summary>
internal static class OpenLoopCases
{
    // Parts of what the closed loop reached: where latency is asked about, and one near the knee.
    private static readonly double[] Parts = [0.25, 0.5, 0.75];

    public static async Task<ReceiptCount> RunAsync(LoadOptions options, OnnxRuntimeLibrary library, SealingKeys keys, InputSet inputs, Rounds rounds)
    {
        await using var engine = await EngineUnderTest.StartAsync(options, library, keys.Epoch, new CountingSink());
        var checker = rounds.CheckerFor(engine, keys.Epoch);
        var total = default(ReceiptCount);
        var seconds = options.Quick ? 1 : 3 * options.Seconds;
        double[] rates = options.Rate > 0 ? [options.Rate] : [.. Parts.Select(part => part * rounds.Rate)];
        foreach (var rate in rates)
        {
            GC.Collect();
            using var loop = new OpenLoop(engine, inputs, rate, seconds, options.Seed);
            var window = await OwnThread.Run(loop.Measure);
            var count = checker.Check([loop.Log]);
            total += count;
            using var line = new JsonLine().Add("case", "engine_open");
            line.Add("intended_per_second", rate, 0).Add("seed", options.Seed).Add("refused", loop.Refused)
                .Engine([window]).Receipts(count).Baseline("engine_closed", rounds.Rate, window.Rate / rounds.Rate).Print();
        }

        return total;
    }
}
