using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Constraints;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Generation.Text;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Sampling;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels.Replay;

/// <summary>One answer that is computed again: chooses each token anew and follows the claimed one. Used by one thread at a time.</summary>
internal sealed class AnswerReplay
{
    private readonly GenerationClaim _claim;
    private readonly TokenModelInfo _info;
    private readonly RuntimeFingerprint _stated;
    private readonly ReplayPass _pass;
    private readonly TokenSampler _sampler;
    private readonly ITokenConstraint? _constraint;
    private readonly AnswerText? _text;
    private readonly TimeProvider _time;
    private string? _finishError;
    private TimeSpan _elapsed;
    private int _calls;
    private int _index;

    public AnswerReplay(GenerationClaim claim, TokenModelInfo info, RuntimeFingerprint stated, Tokenizer? tokenizer, int mostPerCall, TimeProvider time)
    {
        _claim = claim;
        _info = info;
        _stated = stated;
        _time = time;
        _pass = new ReplayPass(info, claim.Prompt.Span, claim.Answer.Span, mostPerCall);
        _sampler = new TokenSampler(claim.Parameters.Sampling, claim.Parameters.Seed, claim.Prompt.Span);
        _constraint = claim.Constraint?.Start();
        if (tokenizer is not null) _text = new AnswerText(tokenizer.StartDetokenizer(skipSpecialTokens: true), claim.Parameters.Stop);
    }

    public int Tokens => _pass.Tokens;

    /// <summary>Makes one call of the runtime. Null while there is more to do.</summary>
    public GenerationReplayVerdict? Advance(ITokenRuntime runtime, ReadOnlyMemory<int> pages)
    {
        var began = _time.GetTimestamp();
        GenerationReplayVerdict? verdict = null;
        _calls++;
        _pass.Advance(runtime, pages);
        for (var row = 0; row < _pass.Rows && verdict is null; row++) verdict = Compare(_pass.Row(row));
        if (verdict is null && _pass.IsAtEnd) verdict = AtEnd();
        _elapsed += _time.GetElapsedTime(began);
        return verdict is null ? null : verdict with { Elapsed = _elapsed };
    }

    private GenerationReplayVerdict? Compare(Span<float> row)
    {
        var claimed = _claim.Answer.Span[_index];
        var mask = _constraint is null ? [] : ConstraintMask.Of(_constraint, _claim.Parameters.EndTokens, _claim.Parameters.IgnoreEndOfSequence, _info.VocabularySize);
        var chosen = _sampler.Next(row, mask);
        if (chosen.Token != claimed) return Differs(claimed, chosen);
        _sampler.Accept(claimed);
        Follow(claimed, isLast: _index == _claim.Answer.Length - 1);
        _index++;
        return null;
    }

    private GenerationReplayVerdict Differs(int claimed, in SampledToken chosen)
    {
        var isElsewhere = _stated != _info.Runtime;
        var found = chosen.Outcome == SamplingOutcome.Chosen ? $"token {chosen.Token}" : "no token";
        return Verdict(
            isElsewhere ? GenerationReplayOutcome.NotReproducibleHere : GenerationReplayOutcome.TokenDiffers,
            $"token {_index} of the answer is {claimed}; {found} is chosen here{(isElsewhere ? ", by another runtime than the statement's" : "")}")
            with
            {
                FirstDifference = _index, Claimed = claimed, Found = chosen.Outcome == SamplingOutcome.Chosen ? chosen.Token : null,
            };
    }

    /// <summary>What ends an answer, in the order that generation asks.</summary>
    private void Follow(int token, bool isLast)
    {
        var parameters = _claim.Parameters;
        var isEnd = !parameters.IgnoreEndOfSequence && parameters.EndTokens.Contains(token);
        if (!isEnd) _text?.Append(token);
        if (!isEnd) _constraint?.Advance(token);
        if (_finishError is not null || isLast) return;
        if (isEnd) _finishError = $"token {_index} is an end-of-sequence token, and the answer goes on";
        else if (_text?.StopText is { } stop) _finishError = $"the stop text '{stop}' is complete with token {_index}, and the answer goes on";
        else if (_constraint is { IsComplete: true }) _finishError = $"the constraint is complete with token {_index}, and the answer goes on";
    }

    private GenerationReplayVerdict AtEnd()
    {
        var error = _finishError ?? FinishError();
        return error is null
            ? Verdict(GenerationReplayOutcome.Reproduced, $"{_index} tokens are reproduced{(_stated == _info.Runtime ? "" : ", by another runtime than the statement's")}")
            : Verdict(GenerationReplayOutcome.FinishDiffers, error);
    }

    /// <summary>A part's head, a cancellation and a failure can be stated at any token.</summary>
    private string? FinishError()
    {
        var parameters = _claim.Parameters;
        var endsAtToken = !parameters.IgnoreEndOfSequence && parameters.EndTokens.Contains(_claim.Answer.Span[^1]);
        _text?.Finish();
        return _claim.Finish switch
        {
            FinishReason.EndOfSequence when !endsAtToken => "the last token does not end a sequence",
            FinishReason.Length when _claim.Answer.Length != parameters.MaxTokens => $"the answer has {_claim.Answer.Length} tokens, and its limit is {parameters.MaxTokens}",
            FinishReason.StopText when parameters.Stop.Count == 0 => "there are no stop texts",
            FinishReason.StopText when _text is { StopText: null } => "no stop text is in the answer",
            FinishReason.Constraint when _constraint is not ({ IsComplete: true } or { MayEnd: true }) => "the constraint is not complete",
            _ => null,
        };
    }

    private GenerationReplayVerdict Verdict(GenerationReplayOutcome outcome, string detail) => new()
    {
        Outcome = outcome, Detail = detail, Reproduced = _index, ComputedTokens = _pass.Computed, Calls = _calls, Stated = _stated, Here = _info.Runtime,
    };
}
