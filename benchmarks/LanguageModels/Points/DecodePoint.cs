using System.Globalization;
using OpenGradient.Engine.Benchmarks.LanguageModels.Sides;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Points;

/// <summary>
/// Tokens per second of sequences that decode together. Each round measures both sides, the next one in the opposite order, over the
/// same number of steps from the same length; beside one sequence also the memory's rate, which bounds it.
/// </summary>
internal sealed class DecodePoint : IPoint
{
    private const int Prompt = 32, MostSteps = 96;
    private const double WindowSeconds = 0.5, QuickWindowSeconds = 0.15;

    public static readonly int[] Sequences = [1, 4, 16, 32];

    public string Name => "decode";

    public Task RunAsync(BenchContext context, ModelPair pair)
    {
        using var bandwidth = new ReadBandwidth(context.Options.Threads);
        foreach (var sequences in context.Options.Quick ? [1, 16] : Sequences)
        {
            var rounds = new List<Round>();
            using (var llama = Begin(pair.Llama, pair.Shape, sequences))
            using (var engine = Begin(pair.Engine, pair.Shape, sequences))
            {
                var slowest = Math.Max(pair.Llama.Thread.Run(() => Step(llama)), pair.Engine.Thread.Run(() => Step(engine)));
                var steps = (int)Math.Clamp((context.Options.Quick ? QuickWindowSeconds : WindowSeconds) / slowest, 2, MostSteps);
                for (var round = 0; round < context.Options.Rounds(9, 3); round++)
                {
                    var (theirs, ours) = (0.0, 0.0);
                    for (var i = 0; i < 2; i++)
                    {
                        Timing.Settle();
                        if ((round + i) % 2 == 0) theirs = pair.Llama.Thread.Run(() => Rate(llama, sequences, steps));
                        else ours = pair.Engine.Thread.Run(() => Rate(engine, sequences, steps));
                    }

                    if (sequences == 1) Timing.Settle();
                    rounds.Add(new Round(ours, theirs, sequences == 1 ? bandwidth.Measure() : 0));
                }
            }

            Report(context, pair, sequences, rounds);
        }

        return Task.CompletedTask;
    }

    private static IDecoding Begin(ISide side, ModelShape shape, int sequences) => side.Thread.Run(() =>
    {
        var decoding = side.NewDecoding(sequences, Prompt + MostSteps);
        for (var i = 0; i < sequences; i++) decoding.Prefill(i, Timing.Prompt(shape.Vocabulary, i, Prompt));
        return decoding;
    });

    private static double Step(IDecoding side)
    {
        side.Decode(1);
        return Timing.Seconds(() => side.Decode(1));
    }

    private static double Rate(IDecoding side, int sequences, int steps)
    {
        side.Rewind(Prompt);
        return sequences * steps / Timing.Seconds(() =>
        {
            for (var i = 0; i < steps; i++) side.Decode(i + 1);
        });
    }

    private static void Report(BenchContext context, ModelPair pair, int sequences, List<Round> rounds)
    {
        var figures = context.Figures;
        var count = sequences.ToString(CultureInfo.InvariantCulture);
        var (ours, theirs) = (Median.Of(rounds, round => round.Ours), Median.Of(rounds, round => round.Theirs));
        var ratio = Median.Of(rounds, round => round.Ours / round.Theirs);
        figures.Set(pair.Shape.Name, ratio, "decode_ratio", pair.Key, count);
        figures.Set(pair.Shape.Name, ours, "decode_per_second", pair.Key, count);
        figures.Set(pair.Shape.Name, theirs, "decode_per_second_llama", pair.Key, count);
        figures.Row(pair.Name, $"decode tokens/s over llama.cpp's, {sequences} sequence{(sequences == 1 ? "" : "s")}", ratio, "", Reach(pair.Precision, sequences),
            FormattableString.Invariant($"{ours:0.0} and {theirs:0.0} tokens/s"));
        BenchContext.Note($"{pair.Name} decode {sequences}: {ours:0.0} tokens/s, llama.cpp {theirs:0.0}, ratio {ratio:0.00}");
        if (sequences != 1) return;
        var read = pair.Shape.ReadBytes(pair.Precision);
        var bandwidth = Median.Of(rounds, round => round.Bandwidth);
        var fraction = Median.Of(rounds, round => round.Ours * read / round.Bandwidth);
        figures.Set(pair.Shape.Name, fraction, "bandwidth_fraction", pair.Key);
        figures.Set(pair.Shape.Name, Median.Of(rounds, round => round.Theirs * read / round.Bandwidth), "bandwidth_fraction_llama", pair.Key);
        figures.Set(pair.Shape.Name, bandwidth / 1e9, "read_gigabytes_per_second", pair.Key);
        figures.Row(pair.Name, "... of what the memory's rate allows", fraction, "", 0.75,
            FormattableString.Invariant($"{bandwidth / 1e9:0.0} GB/s read; a token reads {read / 1e6:0} MB"));
    }

    private static double? Reach(Precision precision, int sequences) => (precision, sequences) switch
    {
        (Precision.Bf16, 1) => 1.3,
        (Precision.Bf16, 16) => 3,
        (_, 1) => 1.2,
        (_, 16) => 1,
        _ => null,
    };

    private readonly record struct Round(double Ours, double Theirs, double Bandwidth);
}
