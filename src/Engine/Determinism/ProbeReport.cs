using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Determinism;

/// <summary>What probing a model at load found. Immutable.</summary>
public sealed record ProbeReport
{
    /// <summary>What every statement of the model says.</summary>
    public required DeterminismClass Class { get; init; }

    /// <summary>The cheapest padding rule under which rows do not depend on their batch, for class A; otherwise the rule that the options ask for.</summary>
    public required PaddingRule Rule { get; init; }

    /// <summary>Rows whose bits were compared with those of the same row executed elsewhere, over all rules and classes tried.</summary>
    public long Comparisons { get; init; }

    /// <summary>Rows of the largest batch compared under the rule found; larger ones were not affordable or are never executed.</summary>
    public int LargestBatch { get; init; }

    /// <summary>Number of different inner shapes tried; 1 for a model with fixed ones.</summary>
    public int InnerShapes { get; init; }

    /// <summary>The case that ruled out the better class or cheaper rule, in words; null when there was none.</summary>
    public string? Mismatch { get; init; }

    /// <summary>Why there is no class, for <see cref="DeterminismClass.U"/>; otherwise null.</summary>
    public string? Reason { get; init; }

    /// <summary>What probing took.</summary>
    public TimeSpan Time { get; init; }

    /// <summary>One line for logs.</summary>
    public override string ToString()
    {
        var found = Class switch
        {
            DeterminismClass.A => $"A, rows do not depend on their batch ({Rule})",
            DeterminismClass.B => "B, rows depend on batch size and slot",
            DeterminismClass.C => "C, rows depend on their neighbours",
            _ => $"U, no class: {Reason}",
        };
        var because = Mismatch is null ? "" : $"; {Mismatch}";
        return $"{found}; {Comparisons} comparisons in {Time.TotalMilliseconds:0} ms, largest batch {LargestBatch}{because}";
    }
}
