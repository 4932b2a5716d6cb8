using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement;

/// <summary>What closes a settlement batch that is not full.</summary>
public enum ClosingRule
{
    /// <summary>The age of its oldest statement: anchored within seconds, whatever an anchor costs.</summary>
    Age,

    /// <summary>Its oldest receipt comes near the objective, or gas is cheap: as few anchors as the objective allows.</summary>
    Adaptive,
}

/// <summary>When a settlement batch is closed. Immutable.</summary>
public sealed record ClosingOptions
{
    /// <summary>Age: predictable, needs no history of the chain, and right wherever an anchor costs next to nothing; a chain with dear gas wants Adaptive.</summary>
    public ClosingRule Rule { get; init; } = ClosingRule.Age;

    /// <summary>Adaptive: wei per gas at or below which gas is cheap. Null: learned from the base fees of the last blocks, because what is cheap differs by a thousand between chains.</summary>
    public UInt128? CheapFee { get; init; }

    /// <summary>Adaptive, learned: the share of recent blocks that were cheaper still. 0.25: a quarter of the blocks is a wait of minutes, not of hours.</summary>
    public double CheapShare { get; init; } = 0.25;

    public void Validate(TrustGapObjective objective)
    {
        ArgumentNullException.ThrowIfNull(objective);
        if (!Enum.IsDefined(Rule)) throw new ArgumentException($"unknown closing rule {Rule}");
        if (CheapShare is not (> 0 and < 1)) throw new ArgumentException("the share of cheaper blocks lies between 0 and 1");
        if (Rule == ClosingRule.Adaptive && objective.Stage is not (ReceiptStage.Anchored or ReceiptStage.Final))
            throw new ArgumentException("adaptive closing needs an objective for anchored or final: no anchor makes a receipt durable or verified");
    }
}
