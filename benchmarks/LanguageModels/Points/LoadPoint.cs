using OpenGradient.Engine.Benchmarks.LanguageModels.Load;
using OpenGradient.Engine.LanguageModels;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Points;

/// <summary>
/// Time to first token and between tokens under an open loop: Poisson arrivals at half of what the slower side was measured to bear, the
/// same arrivals for both. The engine's side is its scheduler with streams; llama.cpp's is a loop of its server's kind.
/// </summary>
internal sealed class LoadPoint : IPoint
{
    private const int Prompt = 128, Answer = 48, Slots = 16, Batch = 512;

    public string Name => "load";

    public async Task RunAsync(BenchContext context, ModelPair pair)
    {
        var rate = Rate(context, pair);
        if (rate is null)
        {
            context.Figures.Missing($"ttft_ms {pair.Name}", "the rate is taken from the points decode and prefill, which did not run");
            return;
        }

        var duration = TimeSpan.FromSeconds(context.Options.Quick ? 4 : 20);
        await using var model = new LanguageModel(pair.Parts, new LanguageModelOptions(), new LanguageModelServices());
        using var llama = pair.Llama.Model.NewContext(Slots, Prompt + Answer, context.Options.Threads);
        // Compiles the way, and lets both sides touch what they will use.
        await EngineLoop.RunAsync(model, Make(pair, 99, 4, TimeSpan.FromSeconds(0.5)));
        pair.Llama.Thread.Run(() => new LlamaLoop(llama, Slots, Batch, pair.Shape.Vocabulary).Run(Make(pair, 99, 4, TimeSpan.FromSeconds(0.5))));

        var (ours, theirs) = (new List<ArrivedRequest>(), new List<ArrivedRequest>());
        for (var round = 0; round < context.Options.Rounds(2, 1); round++)
        {
            for (var i = 0; i < 2; i++)
            {
                Timing.Settle();
                var requests = Make(pair, context.Options.Seed + round, rate.Value, duration);
                if ((round + i) % 2 == 0)
                {
                    theirs.AddRange(requests);
                    pair.Llama.Thread.Run(() => new LlamaLoop(llama, Slots, Batch, pair.Shape.Vocabulary).Run(requests));
                }
                else
                {
                    ours.AddRange(requests);
                    await EngineLoop.RunAsync(model, requests);
                }
            }
        }

        Report(context, pair, ours, "", rate.Value);
        Report(context, pair, theirs, "_llama", rate.Value);
    }

    private static List<ArrivedRequest> Make(ModelPair pair, int seed, double rate, TimeSpan duration) =>
        Arrivals.Make(seed, rate, duration, pair.Shape.Vocabulary, Prompt, Answer);

    /// <summary>Requests per second: half of what the slower side could do if prompts and answers took turns.</summary>
    private static double? Rate(BenchContext context, ModelPair pair)
    {
        double? Capacity(string side) =>
            1 / ((Prompt / context.Figures.Get(pair.Shape.Name, "prefill_per_second" + side, pair.Key))
                + (Answer / context.Figures.Get(pair.Shape.Name, "decode_per_second" + side, pair.Key, "16")));
        var (ours, theirs) = (Capacity(""), Capacity("_llama"));
        return ours is null || theirs is null ? null : Math.Min(ours.Value, theirs.Value) / 2;
    }

    private static void Report(BenchContext context, ModelPair pair, List<ArrivedRequest> requests, string side, double rate)
    {
        var first = Percentiles.Of([.. requests.Select(request => request.FirstToken!.Value)]);
        var gaps = Percentiles.Of([.. requests.SelectMany(request => request.Gaps)]);
        var figures = context.Figures;
        foreach (var (key, times) in new[] { ("ttft_ms", first), ("itl_ms", gaps) })
        {
            figures.Set(pair.Shape.Name, times.P50 / 1000, key + side, pair.Key, "p50");
            figures.Set(pair.Shape.Name, times.P99 / 1000, key + side, pair.Key, "p99");
        }

        var who = side.Length == 0 ? "engine" : "llama.cpp";
        figures.Row(pair.Name, $"time to first token, {who}, p50", first.P50 / 1000, "ms", null,
            FormattableString.Invariant($"p99 {first.P99 / 1000:0.0} ms; between tokens p50 {gaps.P50 / 1000:0.0}, p99 {gaps.P99 / 1000:0.0} ms; {requests.Count} requests, {rate:0.0}/s"));
    }
}
