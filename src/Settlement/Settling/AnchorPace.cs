using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>How long anchors take from the closing of their batch to a stage, by what the journal says of the last ones.</summary>
internal static class AnchorPace
{
    /// <summary>Anchors. 32: half a minute to some hours of them.</summary>
    private const int Last = 32;

    /// <summary>The 90th percentile, so that an outage now and then does not make every batch close early. Null while none is known.</summary>
    public static TimeSpan? Of(IReadOnlyList<ChainOperation> operations, ReceiptStage stage)
    {
        var taken = new List<ulong>(Last);
        for (var i = operations.Count - 1; i >= 0 && taken.Count < Last; i--)
        {
            var operation = operations[i];
            var reached = stage == ReceiptStage.Final ? operation.FinalAt : operation.Inclusion is null ? 0 : operation.IncludedAt;
            if (operation.Checkpoint is not null && reached > operation.OpenedAt) taken.Add(reached - operation.OpenedAt);
        }

        if (taken.Count == 0) return null;
        taken.Sort();
        return TimeSpan.FromTicks((long)(taken[taken.Count * 9 / 10] / 100));
    }
}
