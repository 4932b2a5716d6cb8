using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.OnnxRuntime;

/// <summary>Refuses a step that would write or read where it may not. ONNX Runtime checks neither token ids below zero nor positions.</summary>
internal sealed class StepCheck(TokenModelInfo info, bool isLastOnly)
{
    private readonly bool[] _taken = new bool[info.Pages];

    public static int Rows(in SequenceStep step) => step.Logits switch
    {
        StepLogits.None => 0,
        StepLogits.Last => 1,
        _ => step.Tokens.Length,
    };

    /// <param name="room">Floats that there is room for.</param>
    /// <exception cref="TokenRuntimeException">The message names what was wrong.</exception>
    public void Check(ReadOnlySpan<SequenceStep> steps, int room)
    {
        if (steps.Length > info.MaxSequences) throw new TokenRuntimeException($"{steps.Length} sequences in one step, more than {info.MaxSequences}");
        long rows = 0, tokens = 0;
        Array.Clear(_taken);
        foreach (ref readonly var step in steps)
        {
            Check(step);
            if (_taken[step.Pages.Span[0]]) throw new TokenRuntimeException($"two sequences of one step have the page {step.Pages.Span[0]}");
            _taken[step.Pages.Span[0]] = true;
            rows += Rows(step);
            tokens += step.Tokens.Length;
        }

        if (tokens > info.MaxStepTokens) throw new TokenRuntimeException($"{tokens} tokens in one step, more than {info.MaxStepTokens}");
        if (rows * info.VocabularySize > room) throw new TokenRuntimeException($"{rows} rows of logits have {rows * info.VocabularySize} floats, there is room for {room}");
    }

    private void Check(in SequenceStep step)
    {
        var count = step.Tokens.Length;
        if (count == 0) throw new TokenRuntimeException("a step without tokens");
        if (step.Start < 0 || step.Start > info.ContextLength - count)
            throw new TokenRuntimeException($"{count} tokens from position {step.Start} are not within the context of {info.ContextLength}");
        if (step.Pages.Length == 0) throw new TokenRuntimeException("a step without a page");
        var page = step.Pages.Span[0];
        if ((uint)page >= (uint)info.Pages) throw new TokenRuntimeException($"page {page} is not one of {info.Pages}");
        foreach (var token in step.Tokens.Span)
            if ((uint)token >= (uint)info.VocabularySize) throw new TokenRuntimeException($"token {token} is not one of the vocabulary's {info.VocabularySize}");
        if (count == 1) return;
        // Another division would give other bits, and nobody would notice before a replay fails.
        if (count > info.PrefillChunk || step.Start % info.PrefillChunk != 0)
            throw new TokenRuntimeException($"{count} tokens from position {step.Start}: this runtime takes prompts in pieces of {info.PrefillChunk} from position 0");
        if (isLastOnly && step.Logits == StepLogits.All) throw new TokenRuntimeException("the model gives the last token's logits alone");
    }
}
