using System.Runtime.InteropServices;
using System.Security.Cryptography;
using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Points;

/// <summary>
/// An answer checked by one pass over prompt and answer, against the time that generating it took. Every row of the pass must have
/// the bits that decoding gave, and every token must be the one that was chosen; tokens that do not hold make the run fail.
/// </summary>
internal sealed class VerifyPoint : IPoint
{
    private const int Prompt = 64, Answer = 192, QuickAnswer = 48;

    public string Name => "verify";

    public Task RunAsync(BenchContext context, ModelPair pair)
    {
        Timing.Settle();
        pair.Engine.Thread.Run(() => Run(context, pair));
        return Task.CompletedTask;
    }

    private static void Run(BenchContext context, ModelPair pair)
    {
        var runtime = pair.Engine.Runtime;
        if (!runtime.Info.PrefillEqualsDecode)
        {
            context.Figures.Missing($"verify_speedup {pair.Name}", "this runtime's prefill has other bits than its decode");
            return;
        }

        var answer = context.Options.Quick ? QuickAnswer : Answer;
        var work = new Work(runtime, Prompt, answer);
        var prompt = Timing.Prompt(pair.Shape.Vocabulary, 3, Prompt);
        var tokens = work.Generate(prompt);
        var speedups = new List<double>();
        for (var round = 0; round < context.Options.Rounds(3, 1); round++)
        {
            var generating = Timing.Seconds(() => tokens = work.Generate(prompt));
            var held = 0;
            var checking = Timing.Seconds(() => held = work.Check(prompt, tokens));
            context.Figures.Count(held, answer - held);
            speedups.Add(generating / checking);
        }

        var isSame = work.SameBits(prompt, tokens);
        context.Figures.Count(isSame ? answer : 0, isSame ? 0 : answer);
        var speedup = Median.Of(speedups);
        context.Figures.Set(pair.Shape.Name, speedup, "verify_speedup", pair.Key);
        context.Figures.Row(pair.Name, $"generating {answer} tokens over checking them", speedup, "times", null, $"prompt of {Prompt}; every token and every row's bits compared");
        BenchContext.Note($"{pair.Name} verify: {speedup:0.0} times");
    }

    private sealed class Work
    {
        private readonly ITokenRuntime _runtime;
        private readonly int[] _pages;
        private readonly float[] _row;
        private readonly float[] _rows;
        private readonly int _answer;

        public Work(ITokenRuntime runtime, int prompt, int answer)
        {
            var info = runtime.Info;
            (_runtime, _answer) = (runtime, answer);
            _pages = [.. Enumerable.Range(0, (prompt + answer + info.PageTokens - 1) / info.PageTokens)];
            _row = new float[info.VocabularySize];
            _rows = new float[Math.Min(info.MaxStepTokens, prompt + answer) * (long)info.VocabularySize];
        }

        public int[] Generate(int[] prompt) => Generate(prompt, _ => { });

        /// <summary>How many of the tokens the pass chooses too.</summary>
        public int Check(int[] prompt, int[] tokens)
        {
            var held = 0;
            Pass(prompt, tokens, (i, row) => held += Timing.Largest(row) == tokens[i] ? 1 : 0);
            return held;
        }

        public bool SameBits(int[] prompt, int[] tokens)
        {
            var generated = new List<byte[]>();
            Generate(prompt, row => generated.Add(SHA256.HashData(MemoryMarshal.AsBytes(row))));
            var same = true;
            Pass(prompt, tokens, (i, row) => same &= generated[i].AsSpan().SequenceEqual(SHA256.HashData(MemoryMarshal.AsBytes(row))));
            return same;
        }

        private int[] Generate(int[] prompt, RowSeen seen)
        {
            var tokens = new int[_answer];
            _runtime.Step([new SequenceStep(prompt, 0, _pages, StepLogits.Last)], _row);
            for (var i = 0; ; i++)
            {
                seen(_row);
                tokens[i] = Timing.Largest(_row);
                if (i + 1 == _answer) return tokens;
                _runtime.Step([new SequenceStep(new[] { tokens[i] }, prompt.Length + i, _pages, StepLogits.Last)], _row);
            }
        }

        /// <summary>The last prompt token's row chooses the first token of the answer, and so on; the last token chooses nothing.</summary>
        private void Pass(int[] prompt, int[] tokens, RowOfToken seen)
        {
            int[] all = [.. prompt, .. tokens[..^1]];
            var (most, vocabulary) = (_runtime.Info.MaxStepTokens, _runtime.Info.VocabularySize);
            for (int at = 0, count; at < all.Length; at += count)
            {
                // Rows of the prompt that choose nothing are not computed.
                var isPrompt = at < prompt.Length - 1;
                count = Math.Min(most, (isPrompt ? prompt.Length - 1 : all.Length) - at);
                _runtime.Step([new SequenceStep(all.AsMemory(at, count), at, _pages, isPrompt ? StepLogits.None : StepLogits.All)], _rows);
                if (isPrompt) continue;
                for (var i = 0; i < count; i++) seen(at + i - (prompt.Length - 1), _rows.AsSpan(i * vocabulary, vocabulary));
            }
        }

        private delegate void RowSeen(ReadOnlySpan<float> row);

        private delegate void RowOfToken(int token, ReadOnlySpan<float> row);
    }
}
