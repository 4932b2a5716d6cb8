using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Commitments;
using OpenGradient.Engine.LanguageModels.Constraints;
using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.LanguageModels.Replay;

/// <summary>What is claimed of an answer: the receipt of one of its heads, and everything that the head commits to.</summary>
public sealed record GenerationClaim
{
    public required Receipt Receipt { get; init; }

    public required ReadOnlyMemory<int> Prompt { get; init; }

    /// <summary>The answer's tokens up to the head.</summary>
    public required ReadOnlyMemory<int> Answer { get; init; }

    public required GenerationParameters Parameters { get; init; }

    /// <summary><see cref="FinishReason.None"/> for the head of a part.</summary>
    public required FinishReason Finish { get; init; }

    /// <summary>Leaf hash of the head before (<see cref="Receipt.LeafHash"/> of its receipt); zeros for an answer's first head.</summary>
    public Hash256 Previous { get; init; }

    /// <summary>The constraint whose digest the parameters have; null when they have none.</summary>
    public ITokenConstraintSource? Constraint { get; init; }
}
