using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Hosting.Trust;

/// <summary>When each evidence of a bundle is judged, by the chain.</summary>
public sealed class BundleMoments
{
    private readonly Dictionary<Hash256, DateTimeOffset> _byEpoch = [];
    private readonly List<VerificationFailure> _failures = [];

    /// <summary>What is not fresh, and what could not be asked.</summary>
    public IReadOnlyList<VerificationFailure> Failures => _failures;

    /// <summary>Asks about the statement's epoch, and about the checkpoint's where that is another.</summary>
    public static async Task<BundleMoments> AskAsync(ReceiptBundle bundle, EpochMoments chain, CancellationToken cancellation)
    {
        var moments = new BundleMoments();
        foreach (var evidence in new[] { bundle.Evidence, bundle.CheckpointEvidence })
        {
            if (evidence is null || moments._byEpoch.ContainsKey(evidence.Epoch)) continue;
            var moment = await chain.FindAsync(evidence, bundle.Anchor?.BlockNumber, cancellation).ConfigureAwait(false);
            if (moment.At is { } at) moments._byEpoch[evidence.Epoch] = at;
            if (moment.Failure is { } failure && !moments._failures.Contains(failure)) moments._failures.Add(failure);
        }

        return moments;
    }

    /// <summary>Null where the chain was not asked, or does not say.</summary>
    public DateTimeOffset? Of(Evidence evidence) => _byEpoch.TryGetValue(evidence.Epoch, out var at) ? at : null;
}
