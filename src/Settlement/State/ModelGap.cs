using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>The trust gap of one model's receipts at one moment.</summary>
/// <param name="Model">Its name; <see cref="Other"/> for all models that have no figures of their own.</param>
/// <param name="Open">Where its open receipts stand: one entry per stage that is neither final nor quarantined.</param>
/// <param name="Reached">How long its receipts took to durable, verified, anchored and final.</param>
public sealed record ModelGap(string Model, IReadOnlyList<OpenStage> Open, IReadOnlyList<ReachedStage> Reached)
{
    public const string Other = "other";

    public long OpenReceipts => Open.Sum(stage => stage.Receipts);

    public TimeSpan OldestOpen => Open.Max(stage => stage.Oldest);
}

/// <summary>Receipts that stand at a stage now.</summary>
/// <param name="Oldest">How long ago the oldest of them came in; zero when there is none.</param>
public readonly record struct OpenStage(ReceiptStage Stage, long Receipts, TimeSpan Oldest);

/// <summary>Receipts that have reached a stage.</summary>
public sealed record ReachedStage(ReceiptStage Stage, GapDistribution Gap);
