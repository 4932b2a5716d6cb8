using System.Buffers;

namespace OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

/// <summary>Runs a pattern's instructions over one text. What is to be tried later lies on a stack of its own, so that depth is bounded.</summary>
internal ref struct PatternMatcher
{
    // Three numbers an entry: instruction, position, and the position below which a loop cannot be shortened.
    private const int EntrySize = 3;
    private const int MaxStack = EntrySize << 20;

    private readonly PatternInstruction[] _code;
    private readonly ReadOnlySpan<char> _text;
    private readonly string _source;
    private long _steps;
    private int[] _stack;
    private int _top;

    public PatternMatcher(PatternInstruction[] code, ReadOnlySpan<char> text, string source, long steps)
    {
        _code = code;
        _text = text;
        _source = source;
        _steps = steps;
        _stack = ArrayPool<int>.Shared.Rent(256);
        _top = 0;
    }

    public void Dispose() => ArrayPool<int>.Shared.Return(_stack);

    /// <summary>End of the match that begins here, or -1.</summary>
    public int MatchAt(int start)
    {
        _top = 0;
        return Run(0, start);
    }

    private int Run(int pc, int at)
    {
        var bottom = _top;
        while (true)
        {
            Spend(1);
            ref readonly var step = ref _code[pc];
            var fits = true;
            switch (step.Op)
            {
                case PatternOp.One:
                    fits = Takes(step.Set!, ref at);
                    pc++;
                    break;
                case PatternOp.Most:
                    fits = TakeMost(step, pc, ref at);
                    pc++;
                    break;
                case PatternOp.All:
                    fits = TakeUpTo(step.Set!, step.B, ref at) >= step.A;
                    pc++;
                    break;
                case PatternOp.Fewest:
                    fits = TakeUpTo(step.Set!, step.A, ref at) == step.A;
                    if (fits && step.A != step.B) Push(pc, at, step.A);
                    pc++;
                    break;
                case PatternOp.Either:
                    Push(step.B, at, -1);
                    pc = step.A;
                    break;
                case PatternOp.Jump:
                    pc = step.A;
                    break;
                case PatternOp.Anchor:
                    fits = Holds((AnchorKind)step.A, at);
                    pc++;
                    break;
                case PatternOp.Ahead:
                    fits = Inner(pc + 1, at) >= 0 == (step.B == 0);
                    pc = step.A;
                    break;
                case PatternOp.Behind:
                    fits = Back(at, step.Width) is var back and >= 0 && Inner(pc + 1, back) == at;
                    fits = fits == (step.B == 0);
                    pc = step.A;
                    break;
                case PatternOp.Atomic:
                    var end = Inner(pc + 1, at);
                    fits = end >= 0;
                    at = fits ? end : at;
                    pc = step.A;
                    break;
                default:
                    _top = bottom;
                    return at;
            }

            if (fits) continue;
            if (!Resume(bottom, ref pc, ref at)) return -1;
        }
    }

    // Patterns nest only so deep (PatternParser), and so does this.
    private int Inner(int pc, int at)
    {
        var top = _top;
        var end = Run(pc, at);
        _top = top;
        return end;
    }

    // Takes the newest of what is left to try; a loop goes back on the stack while it can still change.
    private bool Resume(int bottom, ref int pc, ref int at)
    {
        while (_top > bottom)
        {
            _top -= EntrySize;
            int entry = _stack[_top], position = _stack[_top + 1], low = _stack[_top + 2];
            (pc, at) = (entry, position);
            if (low < 0) return true;
            ref readonly var loop = ref _code[entry];
            pc++;
            if (loop.Op == PatternOp.Most)
            {
                at -= CodePoints.WidthBefore(_text, at);
                if (at > low) Push(entry, at, low);
                return true;
            }

            Spend(1);
            if (!Takes(loop.Set!, ref at)) continue;
            if (loop.B < 0 || low + 1 < loop.B) Push(entry, at, low + 1);
            return true;
        }

        return false;
    }

    private bool TakeMost(in PatternInstruction loop, int pc, ref int at)
    {
        if (TakeUpTo(loop.Set!, loop.A, ref at) < loop.A) return false;
        var low = at;
        TakeUpTo(loop.Set!, loop.B < 0 ? -1 : loop.B - loop.A, ref at);
        if (at > low) Push(pc, at, low);
        return true;
    }

    // Returns how many were taken; -1 for no limit.
    private int TakeUpTo(CodePointSet set, int limit, ref int at)
    {
        var taken = 0;
        while (taken != limit && Takes(set, ref at)) taken++;
        Spend(taken);
        return taken;
    }

    private readonly bool Takes(CodePointSet set, ref int at)
    {
        if (at >= _text.Length || !set.Contains(CodePoints.At(_text, at, out var width))) return false;
        at += width;
        return true;
    }

    private readonly int Back(int at, int width)
    {
        for (; width > 0; width--)
        {
            if (at == 0) return -1;
            at -= CodePoints.WidthBefore(_text, at);
        }

        return at;
    }

    private readonly bool Holds(AnchorKind kind, int at) => kind switch
    {
        AnchorKind.TextStart => at == 0,
        AnchorKind.TextEnd => at == _text.Length,
        AnchorKind.LastLineEnd => at == _text.Length || (at == _text.Length - 1 && _text[at] == '\n'),
        AnchorKind.LineStart => at == 0 || _text[at - 1] == '\n',
        AnchorKind.LineEnd => at == _text.Length || _text[at] == '\n',
        AnchorKind.WordBoundary => IsWord(at) != IsWordBefore(at),
        _ => IsWord(at) == IsWordBefore(at),
    };

    private readonly bool IsWord(int at) => at < _text.Length && UnicodeSets.Word.Contains(CodePoints.At(_text, at, out _));

    private readonly bool IsWordBefore(int at) => at > 0 && IsWord(at - CodePoints.WidthBefore(_text, at));

    private void Push(int pc, int at, int low)
    {
        if (_top + EntrySize > _stack.Length) Grow();
        _stack[_top] = pc;
        _stack[_top + 1] = at;
        _stack[_top + 2] = low;
        _top += EntrySize;
    }

    private void Grow()
    {
        if (_top >= MaxStack) throw TooMuch();
        var larger = ArrayPool<int>.Shared.Rent(_stack.Length * 2);
        _stack.AsSpan(0, _top).CopyTo(larger);
        ArrayPool<int>.Shared.Return(_stack);
        _stack = larger;
    }

    private void Spend(int steps)
    {
        _steps -= steps;
        if (_steps < 0) throw TooMuch();
    }

    private readonly TokenizerException TooMuch() =>
        new($"the tokenizer's pattern '{(_source.Length <= 200 ? _source : _source[..200] + "...")}' takes too many steps on this text");
}
