using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.LanguageModels.Replay;

/// <summary>What computing an answer again showed: a closed set.</summary>
public enum GenerationReplayOutcome
{
    /// <summary>Every token is the one that model, prompt, parameters and seed give, and the finish reason fits them.</summary>
    Reproduced,

    /// <summary>Everything that the statement names is the same here, and another token is chosen.</summary>
    TokenDiffers,

    /// <summary>Another token is chosen, and something that the statement's fingerprint names is another.</summary>
    NotReproducibleHere,

    /// <summary>Every token is reproduced, but the answer did not end for the reason that the head states, or should have ended before.</summary>
    FinishDiffers,

    /// <summary>The model's identity is not the statement's; nothing was computed.</summary>
    WrongModel,

    /// <summary>The prompt's digest is not the receipt's; nothing was computed.</summary>
    WrongPrompt,

    /// <summary>The digest over answer, finish reason and previous head is not the receipt's; nothing was computed.</summary>
    WrongAnswer,

    /// <summary>The parameters' digest is not the receipt's, or the constraint's is not the parameters'; nothing was computed.</summary>
    WrongParameters,

    /// <summary>The receipt contradicts itself, or names what this model cannot compute; nothing was computed.</summary>
    ReceiptInvalid,

    /// <summary>The runtime refused or failed.</summary>
    RuntimeFailed,
}

/// <summary>What a replay found. Signature and evidence are not part of it: <c>og verify</c> checks them.</summary>
public sealed record GenerationReplayVerdict
{
    public required GenerationReplayOutcome Outcome { get; init; }

    /// <summary>One sentence for people.</summary>
    public required string Detail { get; init; }

    /// <summary>Tokens of the answer that were computed again and found the same.</summary>
    public int Reproduced { get; init; }

    /// <summary>Index in the answer of the first token that differs; null when none does.</summary>
    public int? FirstDifference { get; init; }

    /// <summary>The answer's token there.</summary>
    public int? Claimed { get; init; }

    /// <summary>The token that is chosen here; null where none can be.</summary>
    public int? Found { get; init; }

    /// <summary>Tokens of prompt and answer that the runtime computed.</summary>
    public int ComputedTokens { get; init; }

    /// <summary>Calls of the runtime.</summary>
    public int Calls { get; init; }

    /// <summary>Time in the runtime and in sampling; what others had computed in between is not in it.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>What executed according to the statement; null when it could not be read.</summary>
    public RuntimeFingerprint? Stated { get; init; }

    /// <summary>What executed here.</summary>
    public RuntimeFingerprint? Here { get; init; }
}
