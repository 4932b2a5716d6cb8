using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>How the contract's head of a log stands to its journal.</summary>
internal enum HeadStanding
{
    /// <summary>It is the newest anchor that the journal knows to be in a block.</summary>
    Same,

    /// <summary>It covers more, and all of it is this log's.</summary>
    Ahead,

    /// <summary>It covers less: an anchor is in no block any more.</summary>
    Behind,

    /// <summary>It is not this log's history: nothing may be signed or sent.</summary>
    Foreign,
}

/// <summary>Compares the contract's head with the journal, before anything is signed on top of it. Writes nothing.</summary>
/// <param name="gate">Closed while the contract knows more than this log; null where nothing is sequenced.</param>
internal sealed class HeadGuard(SettlementState state, ConditionBoard conditions, SequenceGate? gate)
{
    /// <returns>The standing, and the journal's anchor of this very head, if it has one.</returns>
    public (HeadStanding Standing, ChainOperation? Known) Judge(ChainObservation seen)
    {
        var head = Reconciler.HeadOf(seen);
        var (expected, known, size, rootThere) = state.Locked(view =>
        {
            var last = view.Operations.LastAnchor(operation => operation.Inclusion is not null);
            var covered = LogHead.SizeOf(head);
            return (last?.Head ?? LogHead.Empty, view.AnchorsByHead.GetValueOrDefault(head), view.Tree.Size, covered <= view.Tree.Size ? view.Tree.RootAt(covered) : default(Hash256?));
        });

        if (rootThere is null)
        {
            gate?.Close();
            conditions.Clear(ConditionKind.LogDiverged);
            conditions.Set(ConditionKind.LogRolledBack, $"the contract anchors {LogHead.SizeOf(head)} statements of this log, the local outbox holds {size}", "an old copy of the data folder was restored: bring back the newest one, or fetch what is missing with og repair; nothing is signed or sequenced until then");
            return (HeadStanding.Foreign, known);
        }

        if (LogHead.Pack(rootThere.Value, LogHead.SizeOf(head)) != head)
        {
            gate?.Close();
            conditions.Clear(ConditionKind.LogRolledBack);
            conditions.Set(ConditionKind.LogDiverged, $"the contract's head {head} is not a prefix of this log", "another engine uses this log's key, or the data folder belongs to another installation; nothing is signed until it is cleared up");
            return (HeadStanding.Foreign, known);
        }

        conditions.Clear(ConditionKind.LogRolledBack, ConditionKind.LogDiverged);
        gate?.Open();
        if (head == expected) return (HeadStanding.Same, known);
        return (LogHead.SizeOf(head) > LogHead.SizeOf(expected) ? HeadStanding.Ahead : HeadStanding.Behind, known);
    }
}
