using System.Diagnostics;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Load.Report;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Load.InProcess;

/// <summary>
/// The closed loops side by side: each round measures every case once, the next one in the opposite order, and ratios are taken
/// within a round. What disturbs the machine for longer than a round disturbs all of them.
/// </summary>
internal sealed class Rounds(LoadOptions options, PlainProcess plain, int staticBatch, OnnxRuntimeLibrary library, SealingKeys keys, InputSet inputs)
{
    // Compiling hot methods again took 7% of the processor time in the third second, under 1% after the sixth.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);

    private readonly List<PlainWindow> _static = [];
    private readonly List<PlainWindow> _unbatched = [];
    private readonly List<EngineWindow> _sealed = [];
    private readonly List<EngineWindow> _unsealed = [];
    private readonly List<EngineWindow> _durable = [];
    private ReceiptCount _sealedReceipts;
    private ReceiptCount _durableReceipts;

    public ReceiptCount Receipts => _sealedReceipts + _durableReceipts;

    /// <summary>The model as it was loaded.</summary>
    public ModelInfo Model { get; private set; } = null!;

    public double Rate => Median.Of(_sealed, w => w.Rate)!.Value;

    public double? VsStatic => Ratio(_sealed, w => w.Rate, _static, w => w.Rate);

    public double? VsStaticWithoutReceipts => Ratio(_unsealed, w => w.Rate, _static, w => w.Rate);

    public double? VsStaticDurable => Ratio(_durable, w => w.Rate, _static, w => w.Rate);

    public double? VsUnbatched => Ratio(_sealed, w => w.Rate, _unbatched, w => w.Rate);

    /// <summary>The same ratio in requests per CPU second, which other processes on the machine change less.</summary>
    public double? VsStaticPerCpu => Ratio(_static, w => w.CpuPerRequest, _sealed, w => w.CpuPerRequest);

    public double? VsUnbatchedPerCpu => Ratio(_unbatched, w => w.CpuPerRequest, _sealed, w => w.CpuPerRequest);

    public double? VsStaticPerCpuWithoutReceipts => Ratio(_static, w => w.CpuPerRequest, _unsealed, w => w.CpuPerRequest);

    /// <summary>The part of the throughput that receipts take.</summary>
    public double? ReceiptTax => 1 - Ratio(_sealed, w => w.Rate, _unsealed, w => w.Rate);

    public async Task RunAsync()
    {
        await using var withReceipts = await EngineUnderTest.StartAsync(options, library, keys.Epoch, new CountingSink());
        await using var withoutReceipts = await EngineUnderTest.StartAsync(options, library, null, null);
        Model = withReceipts.Model;
        var sealedLoop = new ClosedLoop(withReceipts, inputs, options);
        var unsealedLoop = new ClosedLoop(withoutReceipts, inputs, options);
        var checker = CheckerFor(withReceipts, keys.Epoch);

        await WarmUpAsync(sealedLoop);
        await WarmUpAsync(unsealedLoop);
        await MeasureDurableAsync([]);

        for (var round = 0; round < options.Rounds; round++)
        {
            Func<Task>[] cases =
            [
                async () => _static.Add(await OwnThread.Run(() => plain.Static(staticBatch, options.Seconds))),
                async () => _sealedReceipts += await EngineAsync(_sealed, sealedLoop, checker),
                () => EngineAsync(_unsealed, unsealedLoop, null),
                async () => _durableReceipts += await MeasureDurableAsync(_durable),
                async () => _unbatched.Add(await OwnThread.Run(() => plain.Unbatched(options.Callers, options.Seconds))),
            ];
            if (round % 2 == 1) Array.Reverse(cases);
            foreach (var measure in cases) await measure();
            Console.Error.WriteLine(FormattableString.Invariant(
                $"round {round + 1}/{options.Rounds}: plain {_static[^1].Rate:0}, engine {_sealed[^1].Rate:0}, without receipts {_unsealed[^1].Rate:0}, durable {_durable[^1].Rate:0}, unbatched {_unbatched[^1].Rate:0} requests/s"));
        }
    }

    public void Print()
    {
        var staticRate = Median.Of(_static, w => w.Rate);
        Line("plain_static").Plain(_static).Add("threads", Environment.ProcessorCount).Print();
        Line("plain_unbatched").Plain(_unbatched).Add("threads", options.Callers).Print();
        Line("engine_closed").Engine(_sealed).Receipts(_sealedReceipts).Baseline("plain_static", staticRate, VsStatic).Print();
        Line("engine_closed_without_receipts").Engine(_unsealed).Baseline("plain_static", staticRate, VsStaticWithoutReceipts).Print();
        Line("engine_closed_durable").Engine(_durable).Receipts(_durableReceipts).Baseline("plain_static", staticRate, VsStaticDurable).Print();
    }

    public LogChecker CheckerFor(EngineUnderTest engine, EnclaveEpoch epoch) =>
        new(new ReceiptChecker(new StatementChecker(keys.Signatures, statement => statement.Epoch == epoch.Epoch.Id ? epoch.PublicKey : default), engine.Model), inputs);

    private JsonLine Line(string name) => new JsonLine().Add("case", name).Add("callers", options.Callers).Add("windows", options.Rounds);

    private async Task<ReceiptCount> MeasureDurableAsync(List<EngineWindow> windows)
    {
        await using var settlement = await DurableSettlement.StartAsync(options, library, keys.Shim);
        var loop = new ClosedLoop(settlement.Engine, inputs, options);
        return await EngineAsync(windows, loop, CheckerFor(settlement.Engine, settlement.Epoch));
    }

    private static async Task WarmUpAsync(ClosedLoop loop)
    {
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < WarmUp;) await EngineAsync([], loop, null);
    }

    private static async Task<ReceiptCount> EngineAsync(List<EngineWindow> windows, ClosedLoop loop, LogChecker? checker)
    {
        // What the last window's checking left is not this window's to collect.
        GC.Collect();
        windows.Add(await OwnThread.Run(loop.Measure));
        var count = checker?.Check(loop.Logs) ?? default;
        loop.Clear();
        return count;
    }

    private static double? Ratio<TLeft, TRight>(List<TLeft> left, Func<TLeft, double> ofLeft, List<TRight> right, Func<TRight, double> ofRight) =>
        Median.Of(left.Zip(right, (l, r) => ofLeft(l) / ofRight(r)));
}
