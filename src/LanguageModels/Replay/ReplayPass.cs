using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Replay;

/// <summary>
/// How prompt and answer go through the runtime again, call by call. Where prefill equals decode: the prompt without logits,
/// then the answer in pieces with all of them. Otherwise as it was generated: the prompt in its fixed pieces, then one token
/// per call.
/// </summary>
internal sealed class ReplayPass
{
    // Rows of a large vocabulary are over half a megabyte each: as many as keep the matrix products busy, not as many as fit.
    private const long MostLogitBytes = 64L << 20;

    private readonly TokenModelInfo _info;
    private readonly int[] _tokens;
    private readonly int _prompt;
    private readonly int _piece;
    private readonly int _rowsPerCall;
    private readonly bool _isOnePass;
    private float[] _logits = [];
    private int _cached;

    /// <param name="mostPerCall">Most tokens in one call.</param>
    public ReplayPass(TokenModelInfo info, ReadOnlySpan<int> prompt, ReadOnlySpan<int> answer, int mostPerCall)
    {
        _info = info;
        _prompt = prompt.Length;
        // Nothing is computed from the last token.
        _tokens = [.. prompt, .. answer[..^1]];
        _isOnePass = Generation.Residency.MayRecompute(info);
        _piece = info.Prefill == PrefillRule.FixedChunks ? info.PrefillChunk : Math.Min(mostPerCall, info.MaxStepTokens);
        _rowsPerCall = !_isOnePass ? 1 : (int)Math.Clamp(MostLogitBytes / (4L * info.VocabularySize), 1, _piece);
    }

    public int Tokens => _tokens.Length;

    /// <summary>Tokens that went through the runtime so far.</summary>
    public int Computed => _cached;

    public bool IsAtEnd => _cached == _tokens.Length;

    /// <summary>Rows that the last call gave, in the order of the answer's tokens.</summary>
    public int Rows { get; private set; }

    public Span<float> Row(int index) => _logits.AsSpan(index * _info.VocabularySize, _info.VocabularySize);

    /// <summary>Makes the next call.</summary>
    public void Advance(ITokenRuntime runtime, ReadOnlyMemory<int> pages)
    {
        var (length, logits) = Next();
        Rows = logits switch { StepLogits.None => 0, StepLogits.Last => 1, _ => length };
        var floats = Rows * _info.VocabularySize;
        if (_logits.Length < floats) _logits = new float[floats];
        runtime.Step([new SequenceStep(_tokens.AsMemory(_cached, length), _cached, pages, logits)], _logits.AsSpan(0, floats));
        _cached += length;
    }

    private (int Length, StepLogits Logits) Next()
    {
        if (_isOnePass)
        {
            // Up to the prompt's last token, whose row chooses the first of the answer.
            var silent = _prompt - 1 - _cached;
            return silent > 0 ? (Math.Min(_piece, silent), StepLogits.None) : (Math.Min(_rowsPerCall, _tokens.Length - _cached), StepLogits.All);
        }

        var left = _prompt - _cached;
        return left > 0 ? (Math.Min(_piece, left), left <= _piece ? StepLogits.Last : StepLogits.None) : (1, StepLogits.Last);
    }
}
