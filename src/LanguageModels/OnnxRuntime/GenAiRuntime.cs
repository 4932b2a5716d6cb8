using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.LanguageModels.OnnxRuntime;

/// <summary>
/// A folder in ONNX Runtime GenAI's layout, executed by ONNX Runtime. A page holds a whole sequence, because ONNX Runtime has no
/// paged attention on the CPU. Steps of several tokens, and first tokens, run alone, in pieces of
/// <see cref="TokenModelInfo.PrefillChunk"/>; other steps of one token run side by side where that was proven to change no bits,
/// otherwise one after the other. All of them may be in one call.
/// </summary>
public sealed class GenAiRuntime : ITokenRuntime
{
    private readonly GenAiDecoder _decoder;
    private readonly StepCheck _check;
    private readonly bool _isRagged;

    // By step of the call: its first row of logits. By row of the batch: page, token, position, step.
    private readonly int[] _firstRow, _pages, _tokens, _starts, _steps;
    private bool _disposed;

    internal GenAiRuntime(GenAiDecoder decoder, bool isRagged, bool isLastOnly, TokenModelInfo info, GenAiConfig config)
    {
        (_decoder, _isRagged, Info, EndTokens, BeginToken) = (decoder, isRagged, info, config.EndTokens, config.BeginToken);
        _check = new StepCheck(info, isLastOnly);
        (_firstRow, _pages, _tokens) = (new int[info.MaxSequences], new int[info.MaxSequences], new int[info.MaxSequences]);
        (_starts, _steps) = (new int[info.MaxSequences], new int[info.MaxSequences]);
    }

    public TokenModelInfo Info { get; }

    /// <summary>The configuration's end-of-sequence tokens; none where it has none.</summary>
    public IReadOnlyList<int> EndTokens { get; }

    /// <summary>The configuration's beginning-of-sequence token.</summary>
    public int? BeginToken { get; }

    /// <summary>Bytes of keys and values that were moved so far, so that the sequences of a step lie side by side.</summary>
    public long MovedBytes => _decoder.Cache.MovedBytes;

    /// <exception cref="LanguageModelLoadException">The folder is not one that can be served.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing stays in memory.</exception>
    public static GenAiRuntime Open(string folder, LanguageModelLoadOptions options, CancellationToken cancellation) =>
        Open(folder, FolderTexts.ReadTokenizer(folder), options, cancellation);

    /// <summary>With the texts that its caller has read, so that what is parsed is what the identity covers.</summary>
    internal static GenAiRuntime Open(string folder, FolderTexts texts, LanguageModelLoadOptions options, CancellationToken cancellation) =>
        GenAiOpening.Open(folder, texts, options, cancellation);

    public void Step(ReadOnlySpan<SequenceStep> steps, Span<float> logits)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _check.Check(steps, logits.Length);
        try
        {
            var (rows, batched) = (0, 0);
            for (var i = 0; i < steps.Length; i++)
            {
                _firstRow[i] = rows;
                rows += StepCheck.Rows(steps[i]);
                // A first token's attention takes another way than a later one's.
                if (steps[i].Tokens.Length == 1 && steps[i].Start > 0) _steps[batched++] = i;
                else Append(steps[i], logits[(_firstRow[i] * Info.VocabularySize)..]);
            }

            if (_isRagged && batched > 1) DecodeTogether(steps, batched, logits);
            else foreach (var i in _steps.AsSpan(0, batched)) Append(steps[i], logits[(_firstRow[i] * Info.VocabularySize)..]);
        }
        catch (OnnxRuntimeException error)
        {
            throw Failed(error);
        }
    }

    public void Embed(in SequenceStep step, Span<float> hidden)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!_decoder.HasHiddenStates) throw new TokenRuntimeException("the model has no output of hidden states, so it gives no embeddings");
        if (hidden.Length < Info.HiddenSize) throw new TokenRuntimeException($"a hidden state has {Info.HiddenSize} floats, there is room for {hidden.Length}");
        _check.Check([step with { Logits = StepLogits.None }], 0);
        try
        {
            var page = step.Pages.Span[0];
            _decoder.Append(_decoder.Cache.SlotOf(page), step.Tokens.Span, step.Start, withHidden: true);
            _decoder.CopyHidden(step.Tokens.Length - 1, hidden);
            _decoder.Cache.SetLength(page, step.Start + step.Tokens.Length);
        }
        catch (OnnxRuntimeException error)
        {
            throw Failed(error);
        }
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _decoder.Dispose();
    }

    // The library's own text can name files and source lines: it stays in the inner exception.
    private static TokenRuntimeException Failed(OnnxRuntimeException error) => new($"ONNX Runtime failed: {error.Code}", error);

    private void Append(in SequenceStep step, Span<float> logits)
    {
        var page = step.Pages.Span[0];
        var rows = _decoder.Append(_decoder.Cache.SlotOf(page), step.Tokens.Span, step.Start, withHidden: false);
        _decoder.Cache.SetLength(page, step.Start + step.Tokens.Length);
        if (step.Logits == StepLogits.Last) _decoder.CopyLogits(rows - 1, logits);
        if (step.Logits != StepLogits.All) return;
        for (var row = 0; row < rows; row++) _decoder.CopyLogits(row, logits[(row * Info.VocabularySize)..]);
    }

    private void DecodeTogether(ReadOnlySpan<SequenceStep> steps, int count, Span<float> logits)
    {
        var cache = _decoder.Cache;
        for (var i = 0; i < count; i++) _pages[i] = steps[_steps[i]].Pages.Span[0];
        var first = cache.Gather(_pages.AsSpan(0, count));
        for (var i = 0; i < count; i++)
        {
            var row = cache.SlotOf(_pages[i]) - first;
            (_tokens[row], _starts[row]) = (steps[_steps[i]].Tokens.Span[0], steps[_steps[i]].Start);
        }

        _decoder.Decode(first, _tokens.AsSpan(0, count), _starts.AsSpan(0, count));
        for (var i = 0; i < count; i++)
        {
            var step = _steps[i];
            cache.SetLength(_pages[i], steps[step].Start + 1);
            if (steps[step].Logits != StepLogits.None) _decoder.CopyLogits(cache.SlotOf(_pages[i]) - first, logits[(_firstRow[step] * Info.VocabularySize)..]);
        }
    }
}
