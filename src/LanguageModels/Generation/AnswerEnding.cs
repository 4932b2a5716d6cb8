using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Commitments;
using OpenGradient.Engine.LanguageModels.Diagnostics;

namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>
/// Ends answers and signs heads. An answer that ends gives slot and pages back at once; its caller is told after the heads of
/// the same step were signed, all in one statement. Used by the scheduler's thread only.
/// </summary>
internal sealed class AnswerEnding(
    Residency residency, HeadSealer? sealer, CommitmentOptions commitments, ModelCounters counters, TimeProvider time, Action<Sequence> left)
{
    private static readonly GenerationFailure NotSealed = new(GenerationError.Sealing, "no receipt could be signed");

    private readonly List<(Sequence Sequence, AnswerEnd End)> _ended = [];
    private readonly List<Sequence> _unsigned = [];
    private readonly List<(Sequence Sequence, FinishReason Finish)> _due = [];
    private readonly List<HeadClaim> _claims = [];

    /// <summary>Takes slot, pages and place in the queue from a sequence, whatever its state; nothing when it had ended.</summary>
    public void End(Sequence sequence, AnswerEnd end)
    {
        if (sequence.State == SequenceState.Ended) return;
        if (sequence.State == SequenceState.Waiting) left(sequence);
        residency.End(sequence);
        // Nothing, where the answer came to its own end.
        AnswerProgress.Flush(sequence);
        _ended.Add((sequence, end));
    }

    /// <summary>Ends a sequence whose slot and pages could not be given back.</summary>
    public void EndUnfreed(Sequence sequence, AnswerEnd end) => _ended.Add((sequence, end));

    /// <summary>Signs what is due. What cannot be signed gives slot and pages back and has ended, like the others.</summary>
    public void Sign()
    {
        if (sealer is not null) Seal(sealer);
    }

    /// <summary>Tells the callers of answers that have ended.</summary>
    public void Tell()
    {
        foreach (var sequence in _unsigned) Complete(sequence, new AnswerEnd(FinishReason.Failed, NotSealed), onlyUnderHeads: true);
        foreach (var (sequence, end) in _ended) Complete(sequence, end, onlyUnderHeads: false);
        _unsigned.Clear();
        _ended.Clear();
    }

    private void Seal(HeadSealer sealer)
    {
        _due.Clear();
        _claims.Clear();
        // Without a token there is nothing to commit to.
        foreach (var (sequence, end) in _ended)
            if (sequence.Answered > 0) Add(sequence, end.Finish);
        var now = time.GetTimestamp();
        foreach (var sequence in residency.Running)
            if (IsDue(sequence, now)) Add(sequence, FinishReason.None);
        foreach (var sequence in residency.Preempted)
            if (IsDue(sequence, now)) Add(sequence, FinishReason.None);
        if (_due.Count == 0) return;
        try
        {
            var batch = sealer.Seal(CollectionsMarshal.AsSpan(_claims), out var isHandedOver);
            counters.Statements++;
            counters.Heads += _due.Count;
            counters.RefusedBySink = sealer.RefusedBySink;
            for (var row = 0; row < _due.Count; row++) Signed(_due[row].Sequence, new GenerationHead(batch, row, _due[row].Sequence.Answered, _due[row].Finish, isHandedOver), now);
        }
        catch (Exception)
        {
            // A SealingException, or anything else: either way there is no receipt, and so no answer.
            NotSigned();
        }
    }

    private bool IsDue(Sequence sequence, long now)
    {
        if (!sequence.Plan.Request.IsStreamed || sequence.Answered == sequence.Heads.Tokens) return false;
        return sequence.Answered - sequence.Heads.Tokens >= commitments.EveryTokens
            || time.GetElapsedTime(Math.Max(sequence.Heads.SignedAt, sequence.Times.FirstToken), now) >= commitments.Every;
    }

    private void Add(Sequence sequence, FinishReason finish)
    {
        _due.Add((sequence, finish));
        _claims.Add(sequence.Claim(finish));
    }

    private static void Signed(Sequence sequence, GenerationHead head, long now)
    {
        sequence.Heads.Previous = head.Batch.LeafHash(head.Row);
        sequence.Heads.Tokens = head.Tokens;
        sequence.Heads.SignedAt = now;
        sequence.Output.Append(head);
    }

    private void NotSigned()
    {
        foreach (var (sequence, _) in _due)
        {
            residency.End(sequence);
            _ended.RemoveAll(ended => ended.Sequence == sequence);
            _unsigned.Add(sequence);
        }
    }

    private void Complete(Sequence sequence, AnswerEnd end, bool onlyUnderHeads)
    {
        counters.Finish(end.Finish);
        var times = sequence.Times;
        var now = time.GetTimestamp();
        TimeSpan Until(long reached) => time.GetElapsedTime(times.Admitted, reached == 0 ? now : reached);
        sequence.Output.End(
            end.Finish, end.Failure, sequence, new GenerationTimes(Until(times.Started), Until(times.FirstToken), Until(now), sequence.Preemptions), onlyUnderHeads);
    }
}
