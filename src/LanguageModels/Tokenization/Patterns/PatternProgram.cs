namespace OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

internal enum PatternOp : byte
{
    /// <summary>One code point of <see cref="PatternInstruction.Set"/>.</summary>
    One,

    /// <summary>A to B code points of the set, most first; fewer are tried when what follows fails. B is -1 for no limit.</summary>
    Most,

    /// <summary>A to B code points of the set, fewest first.</summary>
    Fewest,

    /// <summary>A to B code points of the set, as many as there are and never fewer.</summary>
    All,

    /// <summary>Goes on at A; where that fails, at B.</summary>
    Either,

    Jump,

    /// <summary>The condition <see cref="AnchorKind"/> A.</summary>
    Anchor,

    /// <summary>The program from here to <see cref="Accept"/> matches from here on; A is where to go on, B is 1 for "does not match".</summary>
    Ahead,

    /// <summary>As <see cref="Ahead"/>, begun <see cref="PatternInstruction.Width"/> code points before, and ending here.</summary>
    Behind,

    /// <summary>The program from here to <see cref="Accept"/> matches, and its first match is kept; A is where to go on.</summary>
    Atomic,

    Accept,
}

internal readonly record struct PatternInstruction(PatternOp Op, int A = 0, int B = 0, int Width = 0, CodePointSet? Set = null);

/// <summary>Turns a parsed pattern into instructions.</summary>
internal sealed class PatternProgram
{
    // Published patterns compile to under two hundred.
    private const int MaxInstructions = 16_384;

    private readonly List<PatternInstruction> _code = [];

    public static PatternInstruction[] Compile(PatternNode pattern)
    {
        var program = new PatternProgram();
        program.Emit(pattern);
        program.Add(new PatternInstruction(PatternOp.Accept));
        return [.. program._code];
    }

    private int Add(PatternInstruction instruction)
    {
        if (_code.Count >= MaxInstructions) throw new TokenizerException($"a pattern needs more than {MaxInstructions} instructions");
        _code.Add(instruction);
        return _code.Count - 1;
    }

    private void Emit(PatternNode node)
    {
        switch (node)
        {
            case SetNode one: Add(new PatternInstruction(PatternOp.One, Set: one.Set)); break;
            case SequenceNode sequence: foreach (var part in sequence.Parts) Emit(part); break;
            case ChoiceNode choice: EmitChoice(choice.Options); break;
            case RepeatNode { Body: SetNode one } repeat: EmitSetLoop(one, repeat); break;
            case RepeatNode { Kind: RepeatKind.Possessive } repeat: EmitInner(PatternOp.Atomic, repeat with { Kind = RepeatKind.Greedy }, 0, 0); break;
            case RepeatNode repeat: EmitLoop(repeat); break;
            case AtomicNode atomic: EmitInner(PatternOp.Atomic, atomic.Body, 0, 0); break;
            case AnchorNode anchor: Add(new PatternInstruction(PatternOp.Anchor, (int)anchor.Kind)); break;
            case LookNode { Ahead: true } look: EmitInner(PatternOp.Ahead, look.Body, look.Negative ? 1 : 0, 0); break;
            case LookNode look: EmitBehind(look); break;
        }
    }

    private void EmitChoice(IReadOnlyList<PatternNode> options)
    {
        var ends = new List<int>();
        for (var index = 0; index < options.Count; index++)
        {
            var last = index == options.Count - 1;
            var fork = last ? -1 : Add(default);
            Emit(options[index]);
            if (last) break;
            ends.Add(Add(default));
            _code[fork] = new PatternInstruction(PatternOp.Either, fork + 1, _code.Count);
        }

        foreach (var end in ends) _code[end] = new PatternInstruction(PatternOp.Jump, _code.Count);
    }

    private void EmitSetLoop(SetNode one, RepeatNode repeat)
    {
        var op = repeat.Kind switch { RepeatKind.Greedy => PatternOp.Most, RepeatKind.Lazy => PatternOp.Fewest, _ => PatternOp.All };
        Add(new PatternInstruction(op, repeat.Fewest, repeat.Most, Set: one.Set));
    }

    private void EmitLoop(RepeatNode repeat)
    {
        for (var index = 0; index < repeat.Fewest; index++) Emit(repeat.Body);
        if (repeat.Most < 0)
        {
            var fork = Add(default);
            Emit(repeat.Body);
            Add(new PatternInstruction(PatternOp.Jump, fork));
            _code[fork] = Fork(repeat.Kind, fork + 1, _code.Count);
            return;
        }

        var forks = new List<int>();
        for (var index = repeat.Fewest; index < repeat.Most; index++)
        {
            forks.Add(Add(default));
            Emit(repeat.Body);
        }

        foreach (var fork in forks) _code[fork] = Fork(repeat.Kind, fork + 1, _code.Count);
    }

    private static PatternInstruction Fork(RepeatKind kind, int body, int after) =>
        kind == RepeatKind.Lazy ? new PatternInstruction(PatternOp.Either, after, body) : new PatternInstruction(PatternOp.Either, body, after);

    private void EmitInner(PatternOp op, PatternNode body, int flag, int width)
    {
        var start = Add(default);
        Emit(body);
        Add(new PatternInstruction(PatternOp.Accept));
        _code[start] = new PatternInstruction(op, _code.Count, flag, width);
    }

    // Each option of a look-behind has its own length: "any of them" is a choice, "none of them" is one after the other.
    private void EmitBehind(LookNode look)
    {
        var options = look.Body is ChoiceNode choice ? choice.Options : [look.Body];
        if (look.Negative)
        {
            foreach (var option in options) EmitInner(PatternOp.Behind, option, 1, option.Fixed!.Value);
            return;
        }

        var ends = new List<int>();
        for (var index = 0; index < options.Count; index++)
        {
            var fork = index < options.Count - 1 ? Add(default) : -1;
            EmitInner(PatternOp.Behind, options[index], 0, options[index].Fixed!.Value);
            if (fork < 0) continue;
            ends.Add(Add(default));
            _code[fork] = new PatternInstruction(PatternOp.Either, fork + 1, _code.Count);
        }

        foreach (var end in ends) _code[end] = new PatternInstruction(PatternOp.Jump, _code.Count);
    }
}
