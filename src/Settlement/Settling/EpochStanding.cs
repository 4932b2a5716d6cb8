using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>Whether an engine that does not anchor itself may sign its next checkpoint.</summary>
internal sealed class EpochStanding(SettlementState state, HeadGuard guard, ConditionBoard conditions, SigningEpochs epochs)
{
    /// <summary>The contract names this epoch's key, its head is what the journal expects, and nothing is on its way.</summary>
    public bool IsReady(ChainObservation seen)
    {
        if (guard.Judge(seen).Standing is not (HeadStanding.Same or HeadStanding.Ahead)) return false;
        if (state.Locked(view => view.Live.Any(operation => operation.IsPending))) return false;
        if (seen.Head!.Value.ActiveKey == epochs.Current.Address)
        {
            conditions.Clear(ConditionKind.KeyNotActive);
            return true;
        }

        conditions.Set(ConditionKind.KeyNotActive, $"the contract does not name this epoch's key {epochs.Current.Address} yet", "a settlement worker registers it: is one running?");
        return false;
    }
}
