using OpenGradient.Engine.Benchmarks.LanguageModels.Sides;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Points;

/// <summary>What a sequence of 512 tokens adds to the process: for llama.cpp resident memory with 16 of them less that with 1, for the engine its pages.</summary>
internal sealed class MemoryPoint : IPoint
{
    private const int Tokens = 512, Few = 1, Many = 16;

    public string Name => "memory";

    public Task RunAsync(BenchContext context, ModelPair pair)
    {
        var theirs = Measure(pair.Llama, pair.Shape);
        // The engine's cache is reserved whole at load; what a sequence takes of it is its pages.
        var info = pair.Engine.Runtime.Info;
        var pages = (Tokens + info.PageTokens - 1) / info.PageTokens;
        var ours = pages * (double)info.PageBytes;
        context.Figures.Set(pair.Shape.Name, ours / (1 << 20), "memory_per_sequence_mib", pair.Key);
        context.Figures.Set(pair.Shape.Name, theirs / (1 << 20), "memory_per_sequence_mib_llama", pair.Key);
        context.Figures.Row(pair.Name, $"memory of a sequence of {Tokens} tokens", ours / (1 << 20), "MiB", null,
            FormattableString.Invariant($"llama.cpp {theirs / (1 << 20):0.0} MiB, its cache in float16; the engine's {pages} pages of {info.PageBytes} bytes"));
        return Task.CompletedTask;
    }

    private static double Measure(ISide side, ModelShape shape)
    {
        var sizes = new List<double>();
        foreach (var sequences in new[] { Few, Many })
        {
            var before = Resident();
            using var decoding = side.NewDecoding(sequences, Tokens);
            side.Thread.Run(() => decoding.Prefill(0, Timing.Prompt(shape.Vocabulary, 1, 32)));
            sizes.Add(Resident() - before);
        }

        return (sizes[1] - sizes[0]) / (Many - Few);
    }

    private static double Resident() => double.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture) * Environment.SystemPageSize;
}
