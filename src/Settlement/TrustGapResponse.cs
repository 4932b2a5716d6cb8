namespace OpenGradient.Engine.Settlement;

/// <summary>What admission does when the open trust gap passes its bound.</summary>
public enum GapExceeded
{
    /// <summary>Answers TrustGapExceeded with advice.</summary>
    Refuse,

    /// <summary>Lets each request wait, the longer the further the gap is beyond its bound, and refuses at the limit.</summary>
    SlowDown,
}

/// <summary>The operator's choice for a trust gap that passes its bound. Immutable.</summary>
public sealed record TrustGapResponse
{
    /// <summary>Refuse: a caller who is told can go elsewhere; one who is slowed down holds a connection.</summary>
    public GapExceeded Kind { get; init; } = GapExceeded.Refuse;

    /// <summary>The longest wait, just below the limit. 1 s: a block of a fast chain, and less than what callers usually give up after.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How many times the bound the gap may reach before slowing down becomes refusing. 2: the bound is then off by no more than its own size.</summary>
    public double RefuseAt { get; init; } = 2;

    public void Validate()
    {
        if (!Enum.IsDefined(Kind)) throw new ArgumentException($"unknown response {Kind}");
        if (MaxDelay <= TimeSpan.Zero || MaxDelay > TimeSpan.FromMinutes(1)) throw new ArgumentException("the longest wait is above zero, to a minute");
        if (RefuseAt is not (> 1 and <= 1000)) throw new ArgumentException("slowing down ends above once the bound, at most at a thousand times");
    }
}
