using System.Buffers;
using OpenGradient.Engine.LanguageModels.Kernels.Interop;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.Native;

namespace OpenGradient.Engine.LanguageModels.Kernels;

/// <summary>
/// A model on our own kernels (native/include/og_kernels.h). Used by one thread at a time, which is checked; disposal waits
/// for the call that is inside the library.
/// </summary>
public sealed unsafe class KernelRuntime : ITokenRuntime
{
    private readonly KernelFunctions _functions;
    private readonly NativeHandle _model;

    // Of the one call that is under way.
    private readonly NativeSequence[] _sequences;
    private readonly MemoryHandle[] _pins;
    private int _busy;

    internal KernelRuntime(KernelFunctions functions, NativeHandle model, TokenModelInfo info, LanguageModelIdentity identity)
    {
        _functions = functions;
        _model = model;
        Info = info;
        Identity = identity;
        _sequences = new NativeSequence[info.MaxSequences];
        _pins = new MemoryHandle[2 * info.MaxSequences];
    }

    public TokenModelInfo Info { get; }

    /// <summary>The tree beneath <see cref="TokenModelInfo.Identity"/>, for opening a tensor.</summary>
    public LanguageModelIdentity Identity { get; }

    /// <summary>Loads a folder in Hugging Face's layout.</summary>
    /// <exception cref="LanguageModelLoadException">The folder is not one that can be served, or this machine cannot serve it.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing stays in memory.</exception>
    public static KernelRuntime Open(string folder, LanguageModelLoadOptions options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        return HuggingFaceFolder.Open(folder, options, _ => { }, cancellation);
    }

    /// <summary>
    /// Of a fingerprint's device: the class within which answers are equal bit for bit, whatever the instruction set and the
    /// build that computed them.
    /// </summary>
    public static string NumericsClassOf(string device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return device.Split('+')[0];
    }

    public void Step(ReadOnlySpan<SequenceStep> steps, Span<float> logits)
    {
        Enter();
        try
        {
            var rows = Check(steps);
            if (logits.Length < (long)rows * Info.VocabularySize)
                throw new TokenRuntimeException($"there is room for {logits.Length} logits, the step gives {rows} rows of {Info.VocabularySize}");
            Lay(steps);
            using var loan = _model.Borrow();
            NativeError error;
            fixed (NativeSequence* sequences = _sequences)
            fixed (float* into = logits)
                KernelStatus.Check(_functions.Step(loan.Value, sequences, (uint)steps.Length, into, (ulong)rows, &error), error);
        }
        finally
        {
            Leave(steps.Length);
        }
    }

    public void Embed(in SequenceStep step, Span<float> hidden)
    {
        Enter();
        try
        {
            ReadOnlySpan<SequenceStep> steps = [step];
            Check(steps);
            if (hidden.Length < Info.HiddenSize) throw new TokenRuntimeException($"there is room for {hidden.Length} floats, a hidden state has {Info.HiddenSize}");
            Lay(steps);
            using var loan = _model.Borrow();
            NativeError error;
            fixed (NativeSequence* sequence = _sequences)
            fixed (float* into = hidden)
                KernelStatus.Check(_functions.Embed(loan.Value, sequence, into, &error), error);
        }
        finally
        {
            Leave(1);
        }
    }

    public void Dispose() => _model.Dispose();

    /// <summary>What the library would refuse too, with the sequence named; and what it cannot see, the lengths of the arrays.</summary>
    /// <returns>Rows of logits.</returns>
    private int Check(ReadOnlySpan<SequenceStep> steps)
    {
        if (steps.IsEmpty || steps.Length > Info.MaxSequences) throw new TokenRuntimeException($"a step has {steps.Length} sequences, not between 1 and {Info.MaxSequences}");
        long tokens = 0, rows = 0;
        for (var i = 0; i < steps.Length; i++)
        {
            ref readonly var step = ref steps[i];
            var length = step.Tokens.Length;
            if (length == 0) throw new TokenRuntimeException($"sequence {i} of the step has no tokens");
            if (step.Start < 0 || step.Start > Info.ContextLength - length)
                throw new TokenRuntimeException($"sequence {i} of the step has {length} tokens from position {step.Start}, beyond the context of {Info.ContextLength}");
            var needed = (step.Start + length + Info.PageTokens - 1) / Info.PageTokens;
            if (step.Pages.Length < needed) throw new TokenRuntimeException($"sequence {i} of the step has {step.Pages.Length} pages, {needed} are needed");
            if (step.Tokens.Span.ContainsAnyExceptInRange(0, Info.VocabularySize - 1)) throw new TokenRuntimeException($"sequence {i} of the step has a token outside the vocabulary of {Info.VocabularySize}");
            if (step.Pages.Span[..needed].ContainsAnyExceptInRange(0, Info.Pages - 1)) throw new TokenRuntimeException($"sequence {i} of the step has a page outside the cache of {Info.Pages}");
            tokens += length;
            rows += step.Logits switch { StepLogits.None => 0, StepLogits.Last => 1, _ => length };
        }

        return tokens <= Info.MaxStepTokens ? (int)rows : throw new TokenRuntimeException($"a step has {tokens} tokens, more than {Info.MaxStepTokens}");
    }

    private void Lay(ReadOnlySpan<SequenceStep> steps)
    {
        for (var i = 0; i < steps.Length; i++)
        {
            ref readonly var step = ref steps[i];
            var (tokens, pages) = (step.Tokens.Pin(), step.Pages.Pin());
            (_pins[2 * i], _pins[2 * i + 1]) = (tokens, pages);
            _sequences[i] = new NativeSequence
            {
                Tokens = (int*)tokens.Pointer,
                Pages = (int*)pages.Pointer,
                TokenCount = (uint)step.Tokens.Length,
                PageCount = (uint)step.Pages.Length,
                Start = (uint)step.Start,
                Logits = (uint)step.Logits,
            };
        }
    }

    private void Enter()
    {
        if (Interlocked.Exchange(ref _busy, 1) != 0) throw new InvalidOperationException("the runtime is in use by another thread");
    }

    private void Leave(int steps)
    {
        for (var i = 0; i < Math.Min(2 * steps, _pins.Length); i++)
        {
            _pins[i].Dispose();
            _pins[i] = default;
        }

        Volatile.Write(ref _busy, 0);
    }
}
