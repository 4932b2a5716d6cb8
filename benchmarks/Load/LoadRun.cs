using System.Runtime.InteropServices;
using OpenGradient.Engine.Load.Http;
using OpenGradient.Engine.Load.InProcess;
using OpenGradient.Engine.Load.Report;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Load;

/// <summary>One run: baselines and closed loops in rounds, then the open loop, then HTTP; the summary is the last line.</summary>
internal static class LoadRun
{
    public static Task<int> MainAsync(string[] arguments) => BenchmarkRun.MainAsync(
        "load", LoadOptions.Help, arguments, () => RunAsync(LoadOptions.Parse(arguments)),
        error => error is OnnxRuntimeException or ModelLoadException);

    private static async Task<int> RunAsync(LoadOptions options)
    {
        var library = OnnxRuntimeLibrary.Load(options.Library);
        var inputs = InputSet.Read(options.Model);
        using var keys = new SealingKeys();
        using var plain = new PlainProcess(library.Info.Path, EngineUnderTest.ModelFile(options), Environment.ProcessorCount, inputs.Values.Select(values => new[] { MemoryMarshal.AsBytes<float>(values).ToArray() }));
        var batch = options.StaticBatch > 0 ? options.StaticBatch : Search(plain, options);

        var rounds = new Rounds(options, plain, batch, library, keys, inputs);
        await rounds.RunAsync();
        rounds.Print();
        var receipts = rounds.Receipts;
        if (options.Runs("open")) receipts += await OpenLoopCases.RunAsync(options, library, keys, inputs, rounds);
        var http = options.Runs("http") ? await HttpCases.RunAsync(options, inputs, keys, rounds.Model) : HttpSummary.Skipped("not asked for");
        receipts += http.Receipts;
        Print(rounds, receipts, http, library.Info, batch);
        return receipts.Failed == 0 ? BenchmarkRun.Ok : BenchmarkRun.CheckFailed;
    }

    private static int Search(PlainProcess plain, LoadOptions options)
    {
        var best = plain.Search(options.Quick ? 0.1 : 0.5);
        Console.Error.WriteLine(FormattableString.Invariant($"best static batch: {best.Batch}, {best.Rate:0} requests/s"));
        return best.Batch;
    }

    private static void Print(Rounds rounds, ReceiptCount receipts, HttpSummary http, OnnxRuntimeInfo runtime, int batch)
    {
        using var line = new JsonLine();
        line.Add("vs_static_ratio", rounds.VsStatic)
            .Add("vs_unbatched_ratio", rounds.VsUnbatched)
            .Receipts(receipts)
            .Add("vs_static_ratio_without_receipts", rounds.VsStaticWithoutReceipts)
            .Add("vs_static_ratio_durable", rounds.VsStaticDurable)
            .Add("receipt_tax", rounds.ReceiptTax)
            .Add("vs_static_ratio_per_cpu", rounds.VsStaticPerCpu)
            .Add("vs_static_ratio_per_cpu_without_receipts", rounds.VsStaticPerCpuWithoutReceipts)
            .Add("vs_unbatched_ratio_per_cpu", rounds.VsUnbatchedPerCpu)
            .Add("requests_per_second", rounds.Rate, 0)
            .Add("static_batch", batch)
            .Add("http_requests_per_second", http.Rate, 0)
            .Add("http_skipped", http.Reason)
            .Add("hardware", Machine.Hardware(runtime.InstructionSet))
            .Add("load_average", Machine.LoadAverage(), 2)
            .Add("commit", Machine.Commit())
            .Add("onnxruntime", runtime.Version)
            .Print();
    }
}
