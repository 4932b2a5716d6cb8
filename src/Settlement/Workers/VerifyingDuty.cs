using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Settling;

namespace OpenGradient.Engine.Settlement.Workers;

/// <summary>How a verifier that serves many logs checks the statements of one.</summary>
/// <param name="Statements">The check.</param>
/// <param name="Learn">Given each epoch before its statements; says why its evidence is not accepted, or nothing.</param>
public sealed record LogVerifier(IStatementVerifier Statements, Func<Epoch, string?> Learn);

/// <summary>Verifies a log's statements. A log whose running epoch's evidence this verifier does not accept is left alone, by name: a verdict is for ever, and the trust file may be what is wrong.</summary>
internal sealed class VerifyingDuty(LogReplica replica, LogVerifier verifier, SettlementOptions options) : IWorkerDuty
{
    private readonly Intake _intake = new(replica.State, replica.Outbox, replica.Journal, verifier.Statements,
        new EpochGuard(replica.State, replica.Journal, new JournaledEpochs(replica.State), replica.Conditions, options), gate: null);
    private readonly HashSet<Hash256> _learned = [];

    public async Task TickAsync(CancellationToken cancellationToken)
    {
        _intake.SkipVerified();
        _intake.SkipSequenced();
        if (LearnEpochs()) await _intake.VerifyAsync(cancellationToken).ConfigureAwait(false);
    }

    private bool LearnEpochs()
    {
        var (fresh, running) = replica.State.Locked(view => (view.Epochs.Values.Where(known => !_learned.Contains(known.Id)).ToArray(), view.NewestEpoch));
        foreach (var epoch in fresh)
        {
            if (verifier.Learn(epoch) is { } refusal && epoch.Id == running?.Id)
            {
                replica.Conditions.Set(ConditionKind.EvidenceRefused, $"epoch {epoch.Id} of log {replica.LogId}: {refusal}", "if the log is one of yours, name its evidence in the verifier's trust file; nothing of it is verified until then");
                return false;
            }

            _learned.Add(epoch.Id);
        }

        replica.Conditions.Clear(ConditionKind.EvidenceRefused);
        return true;
    }
}
