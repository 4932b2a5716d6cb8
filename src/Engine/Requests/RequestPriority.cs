namespace OpenGradient.Engine;

/// <summary>Who goes first (docs/engine.md, "Queue").</summary>
public enum RequestPriority
{
    /// <summary>Before the others, except for the turns that keep those from starving.</summary>
    High,

    Normal,

    /// <summary>Work that can wait: takes what is left over, and at least one row in sixteen.</summary>
    Low,
}
