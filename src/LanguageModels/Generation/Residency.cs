using OpenGradient.Engine.LanguageModels.Generation.Cache;
using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>
/// Which sequences have a slot and pages. Where the runtime's bits allow it, a sequence takes pages as it grows, and when there
/// are none the one of lowest rank gives all of its own back and is computed again later; the one of highest rank is never
/// asked, so something always goes on. Otherwise a sequence takes all the pages it can ever need before it begins.
/// Used by the scheduler's thread only.
/// </summary>
internal sealed class Residency
{
    private readonly PagePool _pool;
    private readonly int _slots;
    private readonly WaitingLine _waiting;
    private readonly List<Sequence> _running = [];
    private readonly List<Sequence> _preempted = [];
    private readonly Dictionary<string, int> _underWay = new(StringComparer.Ordinal);
    private readonly Func<string, int> _underWayOf;

    // Sequences that began while one of lower rank waited to go on.
    private int _passed;

    public Residency(PagePool pool, TokenModelInfo info, WaitingLine waiting)
    {
        _pool = pool;
        _slots = Math.Min(info.MaxSequences, info.MaxStepTokens);
        _waiting = waiting;
        CanRecompute = MayRecompute(info);
        _underWayOf = caller => _underWay.GetValueOrDefault(caller);
    }

    /// <summary>Whether computing a sequence again gives its bits.</summary>
    public bool CanRecompute { get; }

    /// <summary>In order of rank.</summary>
    public IReadOnlyList<Sequence> Running => _running;

    /// <summary>In order of rank.</summary>
    public IReadOnlyList<Sequence> Preempted => _preempted;

    public long Preemptions { get; private set; }

    public static bool MayRecompute(TokenModelInfo info) => info.Prefill == PrefillRule.Anywhere && info.PrefillEqualsDecode;

    /// <summary>Gives slots and pages to those that are next, as far as there are any.</summary>
    /// <param name="started">Told of each sequence that waited and now runs.</param>
    public void Admit(Action<Sequence> started)
    {
        while (Next() is { } next)
        {
            if (_running.Count == _slots && !TryDisplace(next)) return;
            if (!TryPlace(next)) return;
            if (next.State == SequenceState.Waiting)
            {
                _waiting.Take(next);
                if (_preempted.Count > 0) _passed++;
                _underWay[next.Plan.CallerKey] = _underWayOf(next.Plan.CallerKey) + 1;
                next.CachedPromptTokens = next.Pages.Cached;
                started(next);
            }
            else
            {
                _preempted.Remove(next);
                _passed = 0;
            }

            next.KeepsSlot |= _waiting.HasAbove(next.Priority);
            next.State = SequenceState.Running;
            Insert(_running, next);
        }
    }

    /// <summary>
    /// Finds pages for what every running sequence has <see cref="Sequence.Planned"/>. Those that lose theirs leave; what they
    /// had planned is theirs no more.
    /// </summary>
    public void Reserve()
    {
        for (var i = 0; i < _running.Count; i++)
        {
            var sequence = _running[i];
            if (sequence.Planned == 0) continue;
            while (!sequence.Pages.TryReserve(sequence.Pages.Cached + sequence.Planned))
            {
                var last = _running[^1];
                Preempt(last);
                if (last == sequence) return;
            }
        }
    }

    /// <summary>Takes slot and pages away for a while. Only where sequences can be computed again.</summary>
    public void Preempt(Sequence sequence)
    {
        if (!CanRecompute) throw new InvalidOperationException("a sequence that cannot be computed again was to be preempted");
        sequence.Pages.Release();
        sequence.Planned = 0;
        sequence.Preemptions++;
        sequence.State = SequenceState.Preempted;
        _running.Remove(sequence);
        Insert(_preempted, sequence);
        Preemptions++;
    }

    /// <summary>Frees what a sequence has. False when it had ended before.</summary>
    public bool End(Sequence sequence)
    {
        switch (sequence.State)
        {
            case SequenceState.Ended: return false;
            case SequenceState.Waiting: _waiting.Remove(sequence); break;
            case SequenceState.Running: _running.Remove(sequence); break;
            default: _preempted.Remove(sequence); break;
        }

        if (sequence.State != SequenceState.Waiting)
        {
            var left = _underWayOf(sequence.Plan.CallerKey) - 1;
            if (left == 0) _underWay.Remove(sequence.Plan.CallerKey);
            else _underWay[sequence.Plan.CallerKey] = left;
        }

        sequence.Pages.Release();
        sequence.Planned = 0;
        sequence.State = SequenceState.Ended;
        return true;
    }

    private Sequence? Next()
    {
        var waiting = _waiting.Peek(_underWayOf);
        if (_preempted.Count == 0) return waiting;
        // Whoever was begun goes before its like: its caller is reading. And higher ones do not pass it for ever.
        return waiting is null || _preempted[0].Priority <= waiting.Priority || _passed >= WaitingLine.PassedPerTurn ? _preempted[0] : waiting;
    }

    private bool TryDisplace(Sequence next)
    {
        var last = _running[^1];
        if (!CanRecompute || next.Priority >= last.Priority || last.KeepsSlot) return false;
        last.KeepsSlot = true;
        Preempt(last);
        return true;
    }

    private bool TryPlace(Sequence sequence)
    {
        if (!CanRecompute) return TryPlaceWhole(sequence);
        sequence.Pages.Match(sequence.Tokens.Span);
        var needed = _pool.PagesFor(sequence.Count) - sequence.Pages.Count;
        // A page for each that runs, so that who comes does not push somebody out at the next step.
        if (_pool.Available >= needed + _running.Count && sequence.Pages.TryReserve(sequence.Count)) return true;
        sequence.Pages.Release();
        return false;
    }

    private bool TryPlaceWhole(Sequence sequence)
    {
        var tokens = sequence.PromptLength + sequence.Plan.Parameters.MaxTokens - 1;
        return _pool.Available >= _pool.PagesFor(tokens) && sequence.Pages.TryReserve(tokens);
    }

    private static void Insert(List<Sequence> sequences, Sequence sequence)
    {
        var at = sequences.Count;
        while (at > 0 && Sequence.CompareRank(sequence, sequences[at - 1]) < 0) at--;
        sequences.Insert(at, sequence);
    }
}
