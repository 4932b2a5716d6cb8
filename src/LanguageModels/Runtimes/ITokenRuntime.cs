namespace OpenGradient.Engine.LanguageModels.Runtimes;

/// <summary>
/// A loaded model that advances sequences: token ids and cached keys and values in, logits out. It knows nothing of requests,
/// text or sampling. Used by one thread at a time.
/// </summary>
public interface ITokenRuntime : IDisposable
{
    TokenModelInfo Info { get; }

    /// <summary>
    /// Appends each step's tokens to its sequence's cache and computes the logits asked for. A row's bits depend on the
    /// sequence's tokens alone: not on its neighbours, their number, the pages used, or how the tokens were divided over
    /// calls, as far as <see cref="TokenModelInfo.Prefill"/> leaves that free.
    /// </summary>
    /// <param name="steps">At most <see cref="TokenModelInfo.MaxSequences"/>, each of another sequence; at most <see cref="TokenModelInfo.MaxStepTokens"/> tokens in all.</param>
    /// <param name="logits">Row-major [rows, vocabulary]: one row for <see cref="StepLogits.Last"/>, one per token for <see cref="StepLogits.All"/>, in the order of the steps.</param>
    /// <exception cref="TokenRuntimeException">The runtime failed; the caches of the sequences in the call hold no promise.</exception>
    void Step(ReadOnlySpan<SequenceStep> steps, Span<float> logits);

    /// <summary>Appends like <see cref="Step"/> and gives the last token's final hidden state, after the last norm.</summary>
    /// <param name="hidden"><see cref="TokenModelInfo.HiddenSize"/> floats.</param>
    void Embed(in SequenceStep step, Span<float> hidden);
}

/// <summary>Which of a step's tokens get a row of logits.</summary>
public enum StepLogits
{
    None,
    Last,
    All,
}

/// <summary>What one sequence does in one step. Everything is borrowed for the duration of the call.</summary>
/// <param name="Tokens">1 or more token ids, each below the vocabulary's size.</param>
/// <param name="Start">Position of the first: how many tokens the cache holds already.</param>
/// <param name="Pages">The sequence's pages in order, enough for <c>Start + Tokens.Length</c> tokens. Pages that several sequences share are full and only read.</param>
public readonly record struct SequenceStep(ReadOnlyMemory<int> Tokens, int Start, ReadOnlyMemory<int> Pages, StepLogits Logits);

/// <summary>How a prompt may be divided over calls without changing bits.</summary>
public enum PrefillRule
{
    /// <summary>Anywhere, beside any neighbours: the runtime's bits do not depend on it.</summary>
    Anywhere,

    /// <summary>Alone in its call, from position 0 in pieces of <see cref="TokenModelInfo.PrefillChunk"/>: a function of the request, never of the load.</summary>
    FixedChunks,
}

/// <summary>A runtime refused or failed. The message names what was wrong, without tokens or file contents.</summary>
public sealed class TokenRuntimeException : Exception
{
    public TokenRuntimeException(string message) : base(message) { }

    public TokenRuntimeException() { }

    public TokenRuntimeException(string message, Exception innerException) : base(message, innerException) { }
}
