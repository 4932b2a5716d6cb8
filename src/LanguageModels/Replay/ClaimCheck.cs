using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Commitments;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Sampling;

namespace OpenGradient.Engine.LanguageModels.Replay;

/// <summary>Whether a claim is what its receipt commits to, and about this model: everything that needs no computing.</summary>
internal static class ClaimCheck
{
    /// <summary>Null when the answer can be computed again; the statement's fingerprint is given as far as it could be read.</summary>
    public static GenerationReplayVerdict? Check(GenerationClaim claim, TokenModelInfo info, out RuntimeFingerprint? stated)
    {
        stated = null;
        Statement statement;
        RowLeaf leaf;
        try
        {
            statement = Statement.Decode(claim.Receipt.Statement.Span);
            leaf = RowLeaf.Decode(claim.Receipt.Leaf.Span);
        }
        catch (Exception error) when (error is FormatException or ArgumentException)
        {
            return Verdict(GenerationReplayOutcome.ReceiptInvalid, error.Message);
        }

        stated = statement.Context.Runtime;
        if (MerkleTree.RootFromPath(claim.Receipt.LeafHash, claim.Receipt.Row, statement.Receipts, claim.Receipt.Path) != statement.RowsRoot)
            return Verdict(GenerationReplayOutcome.ReceiptInvalid, "the receipt's path does not lead to its statement's rows");
        if (Digests(claim, leaf) is { } wrong) return wrong;
        if (statement.Context.ModelIdentity != info.Identity)
            return Verdict(GenerationReplayOutcome.WrongModel, $"the statement's model is {statement.Context.ModelIdentity}, this one is {info.Identity}");
        return Bounds(claim, info) is { } error2 ? Verdict(GenerationReplayOutcome.ReceiptInvalid, error2) : null;
    }

    public static GenerationReplayVerdict Verdict(GenerationReplayOutcome outcome, string detail) => new() { Outcome = outcome, Detail = detail };

    private static GenerationReplayVerdict? Digests(GenerationClaim claim, in RowLeaf leaf)
    {
        if (leaf.Request != GenerationRow.RequestDigest(claim.Prompt.Span))
            return Verdict(GenerationReplayOutcome.WrongPrompt, "the prompt is not the one that the receipt commits to");
        Hash256 parameters;
        try
        {
            parameters = claim.Parameters.Digest();
        }
        catch (ArgumentException error)
        {
            return Verdict(GenerationReplayOutcome.WrongParameters, error.Message);
        }

        if (leaf.Parameters != parameters) return Verdict(GenerationReplayOutcome.WrongParameters, "the parameters are not those that the receipt commits to");
        Hash256? constraint = claim.Constraint is { } source ? Hash256.Sha256(source.Description.Span) : null;
        if (constraint != claim.Parameters.Constraint) return Verdict(GenerationReplayOutcome.WrongParameters, "the constraint is not the one that the parameters name");
        if (leaf.Output != GenerationRow.OutputDigest(claim.Finish, claim.Previous, claim.Answer.Span))
            return Verdict(GenerationReplayOutcome.WrongAnswer, "answer, finish reason and previous head are not those that the receipt commits to");
        return null;
    }

    private static string? Bounds(GenerationClaim claim, TokenModelInfo info)
    {
        if (claim.Answer.IsEmpty) return "there is no token to compute again";
        if (!Enum.IsDefined(claim.Finish)) return $"{(byte)claim.Finish} is no finish reason";
        if (claim.Answer.Length > claim.Parameters.MaxTokens) return $"the answer has {claim.Answer.Length} tokens, more than max_tokens {claim.Parameters.MaxTokens}";
        var length = (long)claim.Prompt.Length + claim.Answer.Length;
        if (length > info.ContextLength) return $"prompt and answer have {length} tokens, the model's context is {info.ContextLength}";
        if (length - 1 > (long)info.Pages * info.PageTokens) return $"prompt and answer have {length} tokens, the cache has room for {(long)info.Pages * info.PageTokens}";
        return TokenCheck.Error(claim.Prompt.Span, info, info.ContextLength)?.Message
            ?? TokenCheck.Error(claim.Answer.Span, info, info.ContextLength)?.Message
            ?? SamplingLimits.Error(claim.Parameters.Sampling, info.VocabularySize);
    }
}
