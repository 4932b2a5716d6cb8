using System.Globalization;
using OpenGradient.Engine.Benchmarks.LanguageModels.Sides;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.OnnxRuntime;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Points;

/// <summary>The runtime over ONNX Runtime, in int4: what a GenAI folder of the same shape gives. Without a peer of its own.</summary>
internal static class OnnxRuntimePoint
{
    public const string Name = "onnxruntime";

    private const int Prompt = 32, Steps = 24, Prefill = 512;

    public static void Run(BenchContext context, ModelShape shape)
    {
        var folder = shape.Folder + "-genai";
        if (!Directory.Exists(folder))
        {
            context.Figures.Missing($"onnxruntime {shape.Name}", "its folder is missing: ./bench.sh llm makes it");
            return;
        }

        var runtime = GenAiRuntime.Open(folder, new LanguageModelLoadOptions
        {
            Threads = context.Options.Threads, MaxSequences = BenchContext.MostSequences, ContextLength = Math.Min(shape.Context, BenchContext.MostTokens),
            CacheBytes = 2L * shape.Layers * shape.KeyValueHeads * shape.HeadSize * sizeof(float) * BenchContext.MostSequences * BenchContext.MostTokens,
            OnnxRuntimeLibrary = context.Options.Library,
        }, CancellationToken.None);
        using var side = new RuntimeSide(Name, runtime);
        foreach (var sequences in DecodePoint.Sequences)
        {
            using var decoding = side.NewDecoding(sequences, Prompt + Steps + 1);
            for (var i = 0; i < sequences; i++) decoding.Prefill(i, Timing.Prompt(shape.Vocabulary, i, Prompt));
            decoding.Decode(1);
            var rates = new List<double>();
            for (var round = 0; round < context.Options.Rounds(5, 2); round++)
            {
                decoding.Rewind(Prompt);
                rates.Add(sequences * Steps / Timing.Seconds(() =>
                {
                    for (var i = 0; i < Steps; i++) decoding.Decode(i + 1);
                }));
            }

            context.Figures.Set(shape.Name, Median.Of(rates), "onnxruntime_decode_per_second", sequences.ToString(CultureInfo.InvariantCulture));
            context.Figures.Row($"{shape.Name} int4", $"ONNX Runtime, decode, {sequences} sequence{(sequences == 1 ? "" : "s")}", Median.Of(rates), "tokens/s", null, runtime.Info.Runtime.Options);
            BenchContext.Note($"{shape.Name} onnxruntime decode {sequences}: {Median.Of(rates):0.0} tokens/s");
        }

        using var prefill = side.NewDecoding(1, Prefill);
        var prompt = Timing.Prompt(shape.Vocabulary, 7, Prefill);
        prefill.Prefill(0, prompt);
        var prefillRates = Enumerable.Range(0, context.Options.Rounds(3, 1)).Select(_ => Prefill / Timing.Seconds(() => prefill.Prefill(0, prompt))).ToArray();
        context.Figures.Set(shape.Name, Median.Of(prefillRates), "onnxruntime_prefill_per_second");
        context.Figures.Row($"{shape.Name} int4", "ONNX Runtime, prefill", Median.Of(prefillRates), "tokens/s");
        BenchContext.Note($"{shape.Name} onnxruntime prefill: {Median.Of(prefillRates):0} tokens/s");
    }
}
