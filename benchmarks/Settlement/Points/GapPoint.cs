using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Benchmarks.Settlement.Gap;
using OpenGradient.Engine.Benchmarks.Settlement.Pipeline;
using OpenGradient.Engine.Benchmarks.Settlement.Processes;
using OpenGradient.Engine.Benchmarks.Settlement.Report;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Benchmarks.Settlement.Points;

/// <summary>The trust gap by stage, with the real engine in this process, real sealing, and a node that makes a block each second.</summary>
internal sealed class GapPoint : IPoint<BenchContext>
{
    private const double BlockSeconds = 1;
    private static readonly TimeSpan FinalityLimit = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    public string Name => "gap";

    public async Task RunAsync(BenchContext context)
    {
        if (Anvil.Binary is null)
        {
            context.Figures.Missing("gap_ms", "no anvil: set OG_ANVIL, or run npm ci --ignore-scripts in the repository's root");
            return;
        }

        var folder = context.NewFolder(Name);
        try
        {
            await using var node = await Anvil.StartAsync(BlockSeconds);
            using var account = Installation.DevelopmentAccount(context.Shim);
            var contract = await node.DeployAsync(account);
            using var installation = new Installation(context.Shim, folder.FullName, node.Endpoint, Anvil.ChainId, contract);
            await using var running = new RunningService(installation.Open(folder.FullName));
            await using var engine = new InferenceEngine(new InferenceEngineOptions
            {
                Backend = new OnnxRuntimeBackend(OnnxRuntimeLibrary.Load(context.Options.Library)),
                Sealer = installation.Epoch, Sink = running.Service, Gate = running.Service,
            });
            // Its class is stated, so that no time goes into probing.
            var model = await engine.LoadModelAsync(new ModelOptions { Name = "noop", Path = "models/tests/noop.onnx", MaxBatch = 64, Determinism = DeterminismClass.A });
            var input = model.Inputs[0].Name;

            // Compiles the way, and has the epoch's key registered before anything is timed.
            var warmUp = await ArriveAsync(engine, input, 200, TimeSpan.FromSeconds(1), context.Options.Seed);
            await SettledAsync(running, warmUp, FinalityLimit);

            var runs = new List<(int Rate, OpenArrivals Arrivals)>();
            foreach (var rate in Figures.Rates)
            {
                GC.Collect();
                var arrivals = await ArriveAsync(engine, input, rate, Time(context.Options, rate), context.Options.Seed + rate);
                runs.Add((rate, arrivals));
                BenchContext.Note($"gap: {arrivals.Answers.Count} receipts at {rate}/s, {arrivals.Refused} refused");
                // A rate's tail would be the next one's load; a quick run has no time to wait for it.
                if (!context.Options.Quick) await SettledAsync(running, arrivals, FinalityLimit);
            }

            foreach (var (_, arrivals) in runs) await SettledAsync(running, arrivals, FinalityLimit);
            foreach (var (rate, arrivals) in runs) Report(context.Figures, rate, arrivals, new GapTimes(running.Service, installation.Epoch, installation.Signatures));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // As many samples at the lowest rate as a 99th percentile needs to be more than the worst case.
    private static TimeSpan Time(RunOptions options, int rate) => TimeSpan.FromSeconds(options.Quick ? 3 : rate < 100 ? 60 : 30);

    private static Task<OpenArrivals> ArriveAsync(InferenceEngine engine, string input, double rate, TimeSpan time, int seed) => OwnThread.Run(() =>
    {
        var arrivals = new OpenArrivals(engine, "noop", input, seed);
        arrivals.Run(rate, time);
        return arrivals;
    });

    private static Task SettledAsync(RunningService running, OpenArrivals arrivals, TimeSpan limit)
    {
        var open = new Stack<Hash256>(arrivals.Answers.Select(answer => answer.Batch.StatementId).Distinct());
        return running.UntilAsync(() =>
        {
            while (open.TryPeek(out var next) && running.Service.Find(next) is { Stage: ReceiptStage.Final or ReceiptStage.Quarantined }) open.Pop();
            return open.Count == 0;
        }, limit, Look, "every receipt to become final");
    }

    private static void Report(Figures figures, int rate, OpenArrivals arrivals, GapTimes times)
    {
        var measured = times.Measure(arrivals.Answers);
        figures.Count(times.Held, times.Failed + arrivals.Refused);
        foreach (var (stage, gap) in measured) figures.Gap[(stage, rate)] = gap;
        string Cell(string stage) => measured.TryGetValue(stage, out var gap) ? FormattableString.Invariant($"{stage} {gap.P50:0.##} / {gap.P99:0.##}") : $"{stage} -";
        figures.Row("gap", $"final, {rate:#,0} receipts/s, p50", measured.TryGetValue("final", out var final) ? final.P50 : null, "ms", note: $"p50 / p99 ms: {string.Join(", ", Figures.Stages.Select(Cell))}");
        if (rate == Figures.Rates[0])
            figures.Text("gap", "anvil, a block each second, final 4 blocks deep, settlement batches of at most 1 s; executed is from the intended arrival to the answer, the others from execution");
    }
}
