using OpenGradient.Engine.Settlement.Journal;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>The open settlement batch at one look.</summary>
/// <param name="DurableFor">How long its oldest statement has been durable.</param>
/// <param name="HeldFor">How long the host has had it: what the objective counts.</param>
/// <param name="Pace">From a closing to the objective's stage; null while none is known.</param>
internal readonly record struct OpenSettlementBatch(ulong Statements, TimeSpan DurableFor, TimeSpan HeldFor, TimeSpan? Pace, bool IsAsked);

/// <summary>Whether the open settlement batch closes now, and why. Knows no clock and no chain: what it decides on is given.</summary>
internal sealed class ClosingDecision(SettlementOptions options)
{
    private readonly FeeWindow _fees = new(options.Closing.CheapShare);

    /// <summary>A block was seen.</summary>
    public void Saw(ulong block, UInt128 baseFee) => _fees.Add(block, baseFee);

    public CloseReason Due(in OpenSettlementBatch batch, UInt128 baseFee)
    {
        if (batch.Statements == 0) return CloseReason.None;
        if (batch.Statements >= (ulong)options.MaxBatchStatements) return CloseReason.Full;
        var reason = options.Closing.Rule == ClosingRule.Age ? ByAge(batch) : Adaptive(batch, baseFee);
        return reason == CloseReason.None && batch.IsAsked ? CloseReason.Asked : reason;
    }

    private CloseReason ByAge(in OpenSettlementBatch batch) => batch.DurableFor >= options.MaxBatchAge ? CloseReason.Age : CloseReason.None;

    private CloseReason Adaptive(in OpenSettlementBatch batch, UInt128 baseFee)
    {
        // Before the first anchor half of the time is left for it; and one look at the chain may just have been missed.
        var pace = (batch.Pace ?? options.Objective.Within / 2) + options.PollInterval;
        // An objective that cannot be met any more is no reason to anchor without pause.
        if (pace >= options.Objective.Within) return ByAge(batch);
        if (batch.HeldFor + pace >= options.Objective.Within) return CloseReason.Objective;
        // The age keeps batches from being crumbs while gas stays cheap.
        return batch.DurableFor >= options.MaxBatchAge && IsCheap(baseFee) ? CloseReason.CheapGas : CloseReason.None;
    }

    private bool IsCheap(UInt128 baseFee) => options.Closing.CheapFee is { } fee ? baseFee <= fee : _fees.IsCheap(baseFee);
}
