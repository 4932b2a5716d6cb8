using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>
/// What the next call of the runtime does: one token of every sequence that decodes, and of the prompts pieces that together
/// stay under a bound, dealt in rounds so that long prompts share it. Under <see cref="PrefillRule.FixedChunks"/> one piece of
/// one prompt and one token of all others take turns. Used by the scheduler's thread only.
/// </summary>
internal sealed class StepPlan
{
    /// <summary>Tokens per round: small enough that a short prompt is done beside long ones, large enough to be worth a matrix product.</summary>
    private const int Quantum = 64;

    private readonly TokenModelInfo _info;
    private readonly int _mostPrefill;
    private readonly List<Sequence> _prompts = [];
    private readonly List<Sequence> _members = [];
    private SequenceStep[] _steps = [];
    private int _turn;
    private bool _wasPrefill;

    public StepPlan(TokenModelInfo info, int prefillTokensPerStep)
    {
        _info = info;
        _mostPrefill = Math.Min(prefillTokensPerStep, info.MaxStepTokens);
    }

    /// <summary>The sequences in the call, in order.</summary>
    public IReadOnlyList<Sequence> Members => _members;

    public ReadOnlySpan<SequenceStep> Steps => _steps.AsSpan(0, _members.Count);

    /// <summary>Rows of logits that the call gives: one for each member that has none uncached afterwards.</summary>
    public int Rows { get; private set; }

    public int Tokens { get; private set; }

    /// <summary>Says how many tokens of each sequence are wanted (<see cref="Sequence.Planned"/>); pages are not looked at.</summary>
    public void Choose(IReadOnlyList<Sequence> running)
    {
        foreach (var sequence in running) sequence.Planned = 0;
        foreach (var sequence in running)
        {
            if (!sequence.IsAlone) continue;
            sequence.Planned = Piece(sequence);
            return;
        }

        if (_info.Prefill == PrefillRule.FixedChunks) ChooseInTurns(running);
        else ChooseTogether(running);
    }

    /// <summary>Lays out the call over those that still have tokens planned.</summary>
    public void Build(IReadOnlyList<Sequence> running)
    {
        _members.Clear();
        (Rows, Tokens) = (0, 0);
        if (_steps.Length < running.Count) _steps = new SequenceStep[running.Count];
        foreach (var sequence in running)
        {
            if (sequence.Planned == 0) continue;
            var isLast = sequence.Planned == sequence.Uncached;
            _steps[_members.Count] = new SequenceStep(
                sequence.Tokens.Slice(sequence.Pages.Cached, sequence.Planned), sequence.Pages.Cached, sequence.Pages.Table, isLast ? StepLogits.Last : StepLogits.None);
            _members.Add(sequence);
            Tokens += sequence.Planned;
            if (isLast) Rows++;
        }
    }

    private void ChooseTogether(IReadOnlyList<Sequence> running)
    {
        _prompts.Clear();
        var decoding = 0;
        foreach (var sequence in running)
        {
            if (sequence.Uncached > 1)
            {
                _prompts.Add(sequence);
                continue;
            }

            sequence.Planned = 1;
            decoding++;
        }

        var left = Math.Min(_mostPrefill, _info.MaxStepTokens - decoding);
        if (_prompts.Count == 0) return;
        // Another one begins each time: what is left of a bound that does not divide goes round.
        var first = _turn++ % _prompts.Count;
        for (var isDealt = true; isDealt && left > 0;)
        {
            isDealt = false;
            for (var i = 0; i < _prompts.Count && left > 0; i++)
            {
                var sequence = _prompts[(first + i) % _prompts.Count];
                var piece = Math.Min(Math.Min(Quantum, left), sequence.Uncached - sequence.Planned);
                sequence.Planned += piece;
                left -= piece;
                isDealt |= piece > 0;
            }
        }
    }

    private void ChooseInTurns(IReadOnlyList<Sequence> running)
    {
        _prompts.Clear();
        foreach (var sequence in running)
            if (IsPrompt(sequence)) _prompts.Add(sequence);
        _wasPrefill = _prompts.Count > 0 && (!_wasPrefill || _prompts.Count == running.Count);
        if (_wasPrefill)
        {
            var next = _prompts[_turn++ % _prompts.Count];
            next.Planned = Piece(next);
            return;
        }

        foreach (var sequence in running)
            if (!IsPrompt(sequence)) sequence.Planned = 1;
    }

    private static bool IsPrompt(Sequence sequence) => sequence.Pages.Cached < sequence.PromptLength;

    /// <summary>As much of one sequence as one call takes.</summary>
    private int Piece(Sequence sequence) => _info.Prefill == PrefillRule.FixedChunks && IsPrompt(sequence)
        ? Math.Min(_info.PrefillChunk, sequence.PromptLength - sequence.Pages.Cached)
        : Math.Min(_mostPrefill, sequence.Uncached);
}
