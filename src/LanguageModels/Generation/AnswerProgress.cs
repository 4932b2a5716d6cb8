namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>How an answer ended.</summary>
internal readonly record struct AnswerEnd(FinishReason Finish, GenerationFailure? Failure = null);

/// <summary>Takes the token that was chosen for a sequence: history, text, and whether the answer ends with it.</summary>
internal static class AnswerProgress
{
    /// <summary>Null while the answer goes on.</summary>
    public static AnswerEnd? Accept(Sequence sequence)
    {
        try
        {
            return TryAccept(sequence);
        }
        catch (Exception)
        {
            // A tokenizer or a constraint met what it does not expect: this answer ends, and the others of the step do not.
            return new AnswerEnd(FinishReason.Failed, new GenerationFailure(GenerationError.Runtime, "the answer's text could not be made"));
        }
    }

    private static AnswerEnd? TryAccept(Sequence sequence)
    {
        if (sequence.SamplingFailure is { } failed) return Failed(sequence, failed);
        var sampled = sequence.Sampled;
        switch (sampled.Outcome)
        {
            case Sampling.SamplingOutcome.NotFinite:
                return Failed(sequence, new GenerationFailure(GenerationError.Runtime, "the model's logits are not finite"));
            case Sampling.SamplingOutcome.NothingAllowed:
                // Where the constraint may end, the answer is complete: what cannot come is an end token.
                if (sequence.Constraint is { MayEnd: true }) return End(sequence, FinishReason.Constraint);
                return Failed(sequence, new GenerationFailure(GenerationError.ConstraintUnsatisfiable, "no token may follow"));
        }

        sequence.Append(sampled.Token);
        var parameters = sequence.Plan.Parameters;
        var isEnd = !parameters.IgnoreEndOfSequence && parameters.EndTokens.Contains(sampled.Token);
        var text = isEnd ? "" : sequence.Text.Append(sampled.Token);
        sequence.Output.Append(sampled.Token, text, sampled.Logprobs);
        if (isEnd) return End(sequence, FinishReason.EndOfSequence);
        if (sequence.Constraint is { } constraint)
        {
            try
            {
                constraint.Advance(sampled.Token);
                if (constraint.IsComplete) return End(sequence, FinishReason.Constraint);
            }
            catch (Exception)
            {
                return Failed(sequence, new GenerationFailure(GenerationError.ConstraintUnsatisfiable, "the constraint failed"));
            }
        }

        if (sequence.Text.StopText is not null) return End(sequence, FinishReason.StopText);
        return sequence.Answered == parameters.MaxTokens ? End(sequence, FinishReason.Length) : null;
    }

    /// <summary>Gives out what text was held back.</summary>
    public static void Flush(Sequence sequence)
    {
        try
        {
            sequence.Output.AppendText(sequence.Text.Finish());
        }
        catch (Exception)
        {
            // As above; the answer is ending anyway, and what was given out before stays.
        }
    }

    private static AnswerEnd End(Sequence sequence, FinishReason finish)
    {
        Flush(sequence);
        // An unfinished character can complete a stop text; then the text ends there.
        return new AnswerEnd(sequence.Text.StopText is null ? finish : FinishReason.StopText);
    }

    private static AnswerEnd Failed(Sequence sequence, GenerationFailure failure)
    {
        Flush(sequence);
        return new AnswerEnd(FinishReason.Failed, failure);
    }
}
