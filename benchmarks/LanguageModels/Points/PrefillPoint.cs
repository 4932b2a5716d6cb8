namespace OpenGradient.Engine.Benchmarks.LanguageModels.Points;

/// <summary>Prompt tokens per second of one prompt, its last token's logits included.</summary>
internal sealed class PrefillPoint : IPoint
{
    private const int Tokens = 512;

    public string Name => "prefill";

    public Task RunAsync(BenchContext context, ModelPair pair)
    {
        var prompt = Timing.Prompt(pair.Shape.Vocabulary, 7, Tokens);
        using var llama = pair.Llama.NewDecoding(1, Tokens);
        using var engine = pair.Engine.NewDecoding(1, Tokens);
        pair.Llama.Thread.Run(() => llama.Prefill(0, prompt));
        pair.Engine.Thread.Run(() => engine.Prefill(0, prompt));
        var rounds = new List<(double Ours, double Theirs)>();
        for (var round = 0; round < context.Options.Rounds(7, 2); round++)
        {
            var (theirs, ours) = (0.0, 0.0);
            for (var i = 0; i < 2; i++)
            {
                Timing.Settle();
                if ((round + i) % 2 == 0) theirs = Tokens / pair.Llama.Thread.Run(() => Timing.Seconds(() => llama.Prefill(0, prompt)));
                else ours = Tokens / pair.Engine.Thread.Run(() => Timing.Seconds(() => engine.Prefill(0, prompt)));
            }

            rounds.Add((ours, theirs));
        }

        var ratio = Median.Of(rounds, round => round.Ours / round.Theirs);
        var (mine, other) = (Median.Of(rounds, round => round.Ours), Median.Of(rounds, round => round.Theirs));
        context.Figures.Set(pair.Shape.Name, ratio, "prefill_ratio", pair.Key, "1");
        context.Figures.Set(pair.Shape.Name, mine, "prefill_per_second", pair.Key);
        context.Figures.Set(pair.Shape.Name, other, "prefill_per_second_llama", pair.Key);
        context.Figures.Row(pair.Name, $"prefill tokens/s over llama.cpp's, {Tokens} tokens", ratio, "", pair.Precision == Precision.Bf16 ? 1.5 : null,
            FormattableString.Invariant($"{mine:0} and {other:0} tokens/s"));
        BenchContext.Note($"{pair.Name} prefill: {mine:0} tokens/s, llama.cpp {other:0}, ratio {ratio:0.00}");
        return Task.CompletedTask;
    }
}
