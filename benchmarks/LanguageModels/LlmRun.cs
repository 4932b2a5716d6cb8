using OpenGradient.Engine.Benchmarks.LanguageModels.Points;
using OpenGradient.Engine.Benchmarks.LanguageModels.Report;
using OpenGradient.Engine.Benchmarks.Report;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Benchmarks.LanguageModels;

/// <summary>One run: every point over every model and precision, then the table, then the line of JSON.</summary>
internal static class LlmRun
{
    // The engine closes the runtime that the load's scheduler was given, so that comes last.
    private static readonly IPoint[] Points = [new DecodePoint(), new PrefillPoint(), new MemoryPoint(), new VerifyPoint(), new LoadPoint()];

    public static Task<int> MainAsync(string[] arguments) => BenchmarkRun.MainAsync(
        "llm", RunOptions.Help, arguments, () => RunAsync(RunOptions.Parse(arguments, [.. Points.Select(point => point.Name), OnnxRuntimePoint.Name])),
        error => error is OnnxRuntimeException or LanguageModelLoadException or TokenRuntimeException);

    private static async Task<int> RunAsync(RunOptions options)
    {
        var start = TimeProvider.System.GetTimestamp();
        var figures = new Figures();
        var context = new BenchContext(options, figures);
        foreach (var shape in options.ModelNames.Select(ModelShape.Read))
        {
            foreach (var precision in options.PrecisionsToRun) await OverPairAsync(context, shape, precision);
            if (options.Runs(OnnxRuntimePoint.Name) && !(options.Quick && options.Only is null)) OnnxRuntimePoint.Run(context, shape);
        }

        var hardware = Machine.Hardware(InstructionSet.Current);
        figures.Print(hardware, $"{options.Threads} threads, {context.Llama.SystemInfo.Trim()}", TimeProvider.System.GetElapsedTime(start), options.Quick);
        return figures.ExitCode;
    }

    private static async Task OverPairAsync(BenchContext context, ModelShape shape, Precision precision)
    {
        var points = Points.Where(point => context.Options.Runs(point.Name)).ToArray();
        if (points.Length == 0) return;
        var loading = TimeProvider.System.GetTimestamp();
        using var pair = await context.OpenAsync(shape, precision);
        BenchContext.Note($"{pair.Name}: opened in {TimeProvider.System.GetElapsedTime(loading).TotalSeconds:0.0} s");
        foreach (var point in points)
        {
            var load = new MachineShare();
            await point.RunAsync(context, pair);
            context.Figures.Text("machine", load.Describe($"{pair.Name} {point.Name}"));
        }
    }
}
