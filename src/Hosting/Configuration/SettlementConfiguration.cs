using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement;

namespace OpenGradient.Engine.Hosting.Configuration;

public sealed record SettlementConfiguration
{
    /// <summary>What closes a settlement batch that is not full: <c>age</c>, or <c>adaptive</c> for objective and gas.</summary>
    public string Closing { get; init; } = "age";

    /// <summary>With <c>age</c> a settlement batch closes when its oldest statement is this old; with <c>adaptive</c> cheap gas closes none that is younger.</summary>
    public double MaxAgeMs { get; init; } = 1000;

    /// <summary>Or when it holds this many statements.</summary>
    public int MaxStatements { get; init; } = 4096;

    /// <summary>With <c>adaptive</c>: the base fee at or below which gas is cheap; null learns it from the last blocks.</summary>
    public double? CheapGasGwei { get; init; }

    /// <summary>With <c>adaptive</c>, learned: the share of the last blocks that were cheaper still.</summary>
    public double CheapGasShare { get; init; } = 0.25;

    /// <summary>How often the worker looks at the chain.</summary>
    public double TickMs { get; init; } = 200;

    internal ClosingOptions ToClosing() => new()
    {
        Rule = Closing == "adaptive" ? ClosingRule.Adaptive : ClosingRule.Age,
        CheapFee = CheapGasGwei is { } gwei ? (UInt128)(gwei * 1e9) : null,
        CheapShare = CheapGasShare,
    };

    internal void Check(TrustGapConfiguration gap, List<string> errors)
    {
        if (Closing is not ("age" or "adaptive")) errors.Add($"settlement.closing: '{Closing}' is neither age nor adaptive");
        if (Closing == "adaptive" && gap.ObjectiveStage is not ("anchored" or "final")) errors.Add("settlement.closing: adaptive needs trustGap.objectiveStage anchored or final: no anchor makes a receipt durable or verified");
        if (MaxAgeMs is not (>= 1 and <= 3_600_000)) errors.Add("settlement.maxAgeMs: between 1 and 3,600,000");
        if (MaxStatements is < 1 or > 1_000_000) errors.Add("settlement.maxStatements: between 1 and 1,000,000");
        if (CheapGasGwei is not (null or (>= 0 and <= 1_000_000))) errors.Add("settlement.cheapGasGwei: between 0 and 1,000,000; null to learn it");
        if (CheapGasShare is not (> 0 and < 1)) errors.Add("settlement.cheapGasShare: above 0, below 1");
        if (TickMs is not (>= 10 and <= 60_000)) errors.Add("settlement.tickMs: between 10 and 60,000");
    }
}

public sealed record TrustGapConfiguration
{
    // A hundred years: what fits a TimeSpan with room to spare.
    private const double LongestMs = 100 * 365.25 * 86_400_000;

    /// <summary>Receipts that are not final; at this count admission does what <see cref="OnExceeded"/> says. 0 for no bound.</summary>
    public long MaxOpenReceipts { get; init; } = 10_000_000;

    /// <summary>Age of the oldest receipt that is not final; past it admission does what <see cref="OnExceeded"/> says. 0 for no bound.</summary>
    public double MaxOpenAgeMs { get; init; }

    /// <summary><c>refuse</c> answers TrustGapExceeded with advice; <c>slowDown</c> lets requests wait first.</summary>
    public string OnExceeded { get; init; } = "refuse";

    /// <summary>With <c>slowDown</c>: the longest wait, reached at the limit.</summary>
    public double MaxDelayMs { get; init; } = 1000;

    /// <summary>With <c>slowDown</c>: how many times the bound the gap may reach before requests are refused.</summary>
    public double RefuseAt { get; init; } = 2;

    /// <summary>The objective: <see cref="ObjectiveShare"/> of receipts reach this stage within <see cref="ObjectiveMs"/>.</summary>
    public string ObjectiveStage { get; init; } = "final";

    /// <summary>The objective's time.</summary>
    public double ObjectiveMs { get; init; } = 10_000;

    /// <summary>The objective's share.</summary>
    public double ObjectiveShare { get; init; } = 0.99;

    internal TrustGapObjective ToObjective() => new()
    {
        Stage = ReleasePolicies.TryParse(ObjectiveStage, out var stage) ? (ReceiptStage)stage : ReceiptStage.Final,
        Within = TimeSpan.FromMilliseconds(ObjectiveMs),
        Share = ObjectiveShare,
    };

    internal TrustGapResponse ToResponse() => new()
    {
        Kind = OnExceeded == "slowDown" ? GapExceeded.SlowDown : GapExceeded.Refuse,
        MaxDelay = TimeSpan.FromMilliseconds(MaxDelayMs),
        RefuseAt = RefuseAt,
    };

    internal void Check(List<string> errors)
    {
        if (MaxOpenReceipts < 0) errors.Add("trustGap.maxOpenReceipts: not negative");
        if (MaxOpenAgeMs is not (>= 0 and <= LongestMs)) errors.Add($"trustGap.maxOpenAgeMs: between 0 and {LongestMs:0}");
        if (OnExceeded is not ("refuse" or "slowDown")) errors.Add($"trustGap.onExceeded: '{OnExceeded}' is neither refuse nor slowDown");
        // Whoever waits is in flight: a stop has 60 s in all.
        if (MaxDelayMs is not (>= 1 and <= 10_000)) errors.Add("trustGap.maxDelayMs: between 1 and 10,000");
        if (RefuseAt is not (> 1 and <= 1000)) errors.Add("trustGap.refuseAt: above 1, to 1,000");
        if (ObjectiveStage is not ("durable" or "verified" or "anchored" or "final")) errors.Add($"trustGap.objectiveStage: '{ObjectiveStage}' is none of durable, verified, anchored, final");
        if (ObjectiveMs is not (> 0 and <= 31_536_000_000)) errors.Add("trustGap.objectiveMs: above 0, to a year (31,536,000,000)");
        if (ObjectiveShare is not (> 0 and < 1)) errors.Add("trustGap.objectiveShare: above 0, below 1");
    }
}
