using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Tests.Doubles;

/// <summary>
/// A runtime without a model: a row of logits is a hash of all tokens up to its own, read back from the sequence's pages. So a
/// page that is another sequence's, stale, out of order or freed too early shows in the logits, or is refused with its position.
/// Under <see cref="PrefillRule.FixedChunks"/> the division over calls is in the hash as well, and other divisions are refused.
/// </summary>
public sealed class FakeRuntime : ITokenRuntime
{
    private readonly (int Position, int Token, int Call)[] _slots;
    private readonly Dictionary<int, int> _written = [];
    private bool _disposed;
    private int _inside;

    public FakeRuntime(TokenModelInfo? info = null)
    {
        Info = info ?? Small;
        _slots = new (int, int, int)[Info.Pages * Info.PageTokens];
        Array.Fill(_slots, (-1, -1, 0));
    }

    /// <summary>Pages of 8 tokens, 6 sequences of 128 tokens at a time.</summary>
    public static TokenModelInfo Small { get; } = new()
    {
        Architecture = "fake",
        Identity = Hash256.Sha256("a fake model"u8),
        Runtime = new RuntimeFingerprint("fake", "1", Hash256.Sha256("a fake library"u8), "cpu", "any", "fp32", "numerics=fake"),
        VocabularySize = 61,
        HiddenSize = 16,
        ContextLength = 128,
        PageTokens = 8,
        Pages = 96,
        PageBytes = 8 * 64,
        MaxSequences = 6,
        MaxStepTokens = 128,
        PrefillEqualsDecode = true,
    };

    /// <summary>As a runtime over ONNX Runtime is: one page per sequence, prompts alone in their calls and in pieces of 16.</summary>
    public static TokenModelInfo Chunked { get; } = Small with
    {
        PageTokens = 128, Pages = 6, PageBytes = 128 * 64, Prefill = PrefillRule.FixedChunks, PrefillChunk = 16, PrefillEqualsDecode = false,
    };

    public TokenModelInfo Info { get; }

    /// <summary>Called at the start of every <see cref="Step"/>, with its number from 1: may wait, or throw.</summary>
    public Action<int, SequenceStep[]>? Stepping { get; set; }

    /// <summary>Changes finished rows: (row, the sequence's tokens up to it).</summary>
    public Action<Memory<float>, int[]>? Shape { get; set; }

    /// <summary>Keeps what every step was asked, for tests that look at schedules.</summary>
    public List<SequenceStep[]>? Log { get; init; }

    public int Steps { get; private set; }

    public bool IsDisposed => _disposed;

    public void Step(ReadOnlySpan<SequenceStep> steps, Span<float> logits)
    {
        Enter();
        try
        {
            Steps++;
            if (Stepping is { } stepping) stepping(Steps, steps.ToArray());
            Check(steps, logits.Length);
            Log?.Add([.. steps.ToArray().Select(step => step with { Tokens = step.Tokens.ToArray(), Pages = step.Pages.ToArray() })]);
            foreach (var step in steps) Write(step);
            var row = 0;
            foreach (var step in steps)
            {
                var from = step.Logits switch { StepLogits.None => step.Tokens.Length, StepLogits.Last => step.Tokens.Length - 1, _ => 0 };
                for (var i = from; i < step.Tokens.Length; i++) Row(step, step.Start + i + 1, logits.Slice(row++ * Info.VocabularySize, Info.VocabularySize));
            }
        }
        finally
        {
            Volatile.Write(ref _inside, 0);
        }
    }

    public void Embed(in SequenceStep step, Span<float> hidden)
    {
        Enter();
        try
        {
            if (hidden.Length < Info.HiddenSize) throw new TokenRuntimeException($"{hidden.Length} floats for a hidden state of {Info.HiddenSize}");
            var silent = step with { Logits = StepLogits.None };
            Check([silent], 0);
            Write(step);
            Fill(HashOf(ReadBack(step, step.Start + step.Tokens.Length)) ^ 0x5EED, hidden[..Info.HiddenSize]);
        }
        finally
        {
            Volatile.Write(ref _inside, 0);
        }
    }

    public void Dispose() => _disposed = true;

    /// <summary>The row after these tokens, computed without pages: of a runtime whose prefill equals decode.</summary>
    public float[] Expected(ReadOnlySpan<int> tokens)
    {
        var row = new float[Info.VocabularySize];
        var slots = new (int, int)[tokens.Length];
        for (var i = 0; i < tokens.Length; i++) slots[i] = (tokens[i], 0);
        Fill(HashOf(slots), row);
        Shape?.Invoke(row, tokens.ToArray());
        return row;
    }

    private void Enter()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Interlocked.Exchange(ref _inside, 1) != 0) throw new InvalidOperationException("two threads are in the runtime");
    }

    private void Row(in SequenceStep step, int length, Span<float> row)
    {
        var slots = ReadBack(step, length);
        Fill(HashOf(slots), row);
        if (Shape is not { } shape) return;
        var copy = row.ToArray();
        shape(copy, [.. slots.Select(slot => slot.Token)]);
        copy.CopyTo(row);
    }

    private void Write(in SequenceStep step)
    {
        var call = Info.PrefillEqualsDecode ? 0 : step.Tokens.Length;
        for (var i = 0; i < step.Tokens.Length; i++) _slots[SlotOf(step, step.Start + i)] = (step.Start + i, step.Tokens.Span[i], call);
    }

    private (int Token, int Call)[] ReadBack(in SequenceStep step, int length)
    {
        var slots = new (int, int)[length];
        for (var position = 0; position < length; position++)
        {
            var slot = _slots[SlotOf(step, position)];
            if (slot.Position != position) throw new InvalidOperationException($"position {position} is read from a slot that holds position {slot.Position}");
            slots[position] = (slot.Token, slot.Call);
        }

        return slots;
    }

    private int SlotOf(in SequenceStep step, int position) => (step.Pages.Span[position / Info.PageTokens] * Info.PageTokens) + (position % Info.PageTokens);

    private void Check(ReadOnlySpan<SequenceStep> steps, int logits)
    {
        if (steps.Length > Info.MaxSequences) throw new TokenRuntimeException($"{steps.Length} sequences, at most {Info.MaxSequences}");
        int tokens = 0, rows = 0;
        _written.Clear();
        foreach (var step in steps)
        {
            CheckOne(step, steps.Length);
            tokens += step.Tokens.Length;
            rows += step.Logits switch { StepLogits.None => 0, StepLogits.Last => 1, _ => step.Tokens.Length };
            // Pages that are written belong to one sequence; two that share one would overwrite each other.
            for (var page = step.Start / Info.PageTokens; page <= (step.Start + step.Tokens.Length - 1) / Info.PageTokens; page++)
                if (!_written.TryAdd(step.Pages.Span[page], page)) throw new InvalidOperationException($"page {step.Pages.Span[page]} is written by two sequences of one step");
        }

        foreach (var step in steps)
            for (var page = 0; page < step.Start / Info.PageTokens; page++)
                if (_written.ContainsKey(step.Pages.Span[page])) throw new InvalidOperationException($"page {step.Pages.Span[page]} is read by one sequence and written by another");
        if (tokens > Info.MaxStepTokens) throw new TokenRuntimeException($"{tokens} tokens, at most {Info.MaxStepTokens}");
        if ((long)rows * Info.VocabularySize > logits) throw new TokenRuntimeException($"{rows} rows of logits do not fit {logits} floats");
    }

    private void CheckOne(in SequenceStep step, int sequences)
    {
        if (step.Tokens.IsEmpty) throw new TokenRuntimeException("a step without tokens");
        foreach (var token in step.Tokens.Span)
            if (token < 0 || token >= Info.VocabularySize) throw new TokenRuntimeException("a token outside the vocabulary");
        if (step.Start < 0) throw new TokenRuntimeException($"a start of {step.Start}");
        if (step.Start + step.Tokens.Length > Info.ContextLength) throw new TokenRuntimeException($"beyond the context of {Info.ContextLength}");
        if (step.Pages.Length * Info.PageTokens < step.Start + step.Tokens.Length) throw new TokenRuntimeException($"{step.Pages.Length} pages are too few");
        foreach (var page in step.Pages.Span)
            if (page < 0 || page >= Info.Pages) throw new TokenRuntimeException($"there is no page {page}");
        if (Info.Prefill != PrefillRule.FixedChunks || step.Tokens.Length == 1) return;
        if (sequences > 1) throw new TokenRuntimeException("a prompt is alone in its call");
        if (step.Start % Info.PrefillChunk != 0 || step.Tokens.Length > Info.PrefillChunk)
            throw new TokenRuntimeException($"{step.Tokens.Length} tokens from {step.Start} are no piece of {Info.PrefillChunk}");
    }

    private static ulong HashOf(ReadOnlySpan<(int Token, int Call)> slots)
    {
        ulong hash = 0x9E3779B97F4A7C15;
        foreach (var (token, call) in slots) hash = Mix(hash ^ ((ulong)token + 1) ^ ((ulong)call << 32));
        return hash;
    }

    /// <summary>Values from −8 to 8.</summary>
    private static void Fill(ulong hash, Span<float> values)
    {
        for (var i = 0; i < values.Length; i++) values[i] = ((Mix(hash + (ulong)i) >> 40) / (float)(1 << 20)) - 8;
    }

    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
