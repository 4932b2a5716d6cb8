using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Tests.Runtimes;

/// <summary>A sequence as a scheduler would keep it: its pages, and how many tokens its cache holds.</summary>
internal sealed class RuntimeSequence(ITokenRuntime runtime, int[] pages)
{
    public int Length { get; set; }

    public int[] Pages => pages;

    public SequenceStep Step(ReadOnlyMemory<int> tokens, StepLogits logits) => new(tokens, Length, pages, logits);

    /// <summary>One token alone in its call.</summary>
    public float[] Decode(int token) => Append([token], StepLogits.Last);

    /// <summary>Tokens in one call.</summary>
    public float[] Append(int[] tokens, StepLogits logits)
    {
        var rows = logits switch { StepLogits.None => 0, StepLogits.Last => 1, _ => tokens.Length };
        var output = new float[rows * runtime.Info.VocabularySize];
        runtime.Step([Step(tokens, logits)], output);
        Length += tokens.Length;
        return output;
    }

    /// <summary>A prompt, divided as the runtime's rule allows; the last token's logits.</summary>
    public float[] Prefill(int[] tokens)
    {
        var info = runtime.Info;
        var most = info.Prefill == PrefillRule.FixedChunks ? info.PrefillChunk : info.MaxStepTokens;
        float[] last = [];
        for (var at = 0; at < tokens.Length; at += most)
        {
            var piece = tokens[at..Math.Min(tokens.Length, at + most)];
            last = Append(piece, at + piece.Length == tokens.Length ? StepLogits.Last : StepLogits.None);
        }

        return last;
    }
}

/// <summary>Hands out pages of a runtime, lowest first or in an order of its own.</summary>
internal sealed class RuntimePages(ITokenRuntime runtime, int? shuffle = null)
{
    private readonly Queue<int> _free = new(shuffle is { } seed
        ? Enumerable.Range(0, runtime.Info.Pages).OrderBy(page => new Random((seed * 7919) + page).Next())
        : Enumerable.Range(0, runtime.Info.Pages));

    /// <summary>Room for so many tokens.</summary>
    public RuntimeSequence NewSequence(int tokens)
    {
        var pages = new int[(tokens + runtime.Info.PageTokens - 1) / runtime.Info.PageTokens];
        for (var i = 0; i < pages.Length; i++) pages[i] = _free.Dequeue();
        return new RuntimeSequence(runtime, pages);
    }

    public void Free(RuntimeSequence sequence)
    {
        foreach (var page in sequence.Pages) _free.Enqueue(page);
    }
}
