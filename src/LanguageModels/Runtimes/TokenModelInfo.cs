using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.LanguageModels.Runtimes;

/// <summary>What a loaded model is and what its cache can hold. Immutable.</summary>
public sealed record TokenModelInfo
{
    /// <summary>For example <c>llama</c>, <c>qwen2</c>, <c>qwen3</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Root over the artifact's parts and the scheme it is served in (docs/formats.md, "Identity of a language model").</summary>
    public required Hash256 Identity { get; init; }

    /// <summary>Everything besides model and request that can change logit bits.</summary>
    public required RuntimeFingerprint Runtime { get; init; }

    /// <summary>Columns of a logit row. Not smaller than the tokenizer's vocabulary; some models pad it.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Floats in a hidden state.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Most tokens of one sequence, prompt and answer together.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Tokens in a page of the cache. A runtime without paging has one page per sequence, of <see cref="ContextLength"/>.</summary>
    public required int PageTokens { get; init; }

    /// <summary>Pages that exist: the hard bound of the cache's memory.</summary>
    public required int Pages { get; init; }

    /// <summary>Bytes of one page, keys and values of all layers.</summary>
    public required long PageBytes { get; init; }

    /// <summary>Most sequences in one step.</summary>
    public required int MaxSequences { get; init; }

    /// <summary>Most tokens in one step, over all sequences.</summary>
    public required int MaxStepTokens { get; init; }

    public PrefillRule Prefill { get; init; } = PrefillRule.Anywhere;

    /// <summary>Tokens per call of a prompt under <see cref="PrefillRule.FixedChunks"/>.</summary>
    public int PrefillChunk { get; init; }

    /// <summary>Whether logits of a position can be had by one pass over prompt and answer, with the bits that decoding gave.</summary>
    public bool PrefillEqualsDecode { get; init; }

    /// <summary>What statements say of the logits' dependence on neighbours. Null: <c>A</c> where <see cref="PrefillEqualsDecode"/>, which includes it, else <c>U</c>.</summary>
    public DeterminismClass? Determinism { get; init; }
}
