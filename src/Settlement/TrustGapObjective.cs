using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement;

/// <summary>What the operator promises of the trust gap: this share of receipts reaches the stage within the time.</summary>
public sealed record TrustGapObjective
{
    /// <summary>Durable, verified, anchored or final. Final: that is when the gap is closed.</summary>
    public ReceiptStage Stage { get; init; } = ReceiptStage.Final;

    /// <summary>From when the host has the receipt. 10 s: some blocks of a fast chain and its finality; a slow chain's final needs minutes.</summary>
    public TimeSpan Within { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Above 0, below 1. 0.99: one receipt in a hundred may meet a slow block or a restart.</summary>
    public double Share { get; init; } = 0.99;

    public void Validate()
    {
        if (Stage is not (ReceiptStage.Durable or ReceiptStage.Verified or ReceiptStage.Anchored or ReceiptStage.Final))
            throw new ArgumentException($"the objective's stage is durable, verified, anchored or final, not {Stage}");
        if (Share is not (> 0 and < 1)) throw new ArgumentException("the objective's share lies between 0 and 1");
        if (Within <= TimeSpan.Zero || Within > TimeSpan.FromDays(365)) throw new ArgumentException("the objective's time is above zero, to a year");
    }
}

/// <summary>How the objective stands. A receipt counts once: met, or missed as soon as its time is over.</summary>
/// <param name="Met">Receipts since the process began.</param>
/// <param name="Missed">Those that reached the stage too late, are still on their way past their time, or were quarantined.</param>
/// <param name="BurnFiveMinutes">How fast the last five minutes spend what the objective leaves: 1 is exactly as fast as allowed, 0 nothing.</param>
/// <param name="BurnOneHour">The same for the last hour.</param>
public sealed record ObjectiveSnapshot(TrustGapObjective Objective, long Met, long Missed, double BurnFiveMinutes, double BurnOneHour)
{
    /// <summary>Spends a fiftieth of a month's budget in an hour: the usual figure at which somebody is called.</summary>
    public const double FastBurn = 14.4;

    /// <summary>Both windows agree: the hour says that it matters, the five minutes that it still goes on.</summary>
    public bool IsBurningFast => BurnFiveMinutes >= FastBurn && BurnOneHour >= FastBurn;
}
