using System.Runtime.CompilerServices;
using System.Text;

namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>
/// What the caller holds. The scheduler appends and never waits; a reader takes everything since its last part at once, so
/// what is buffered is at most the answer itself. Fields are guarded by the gate.
/// </summary>
internal sealed class GenerationOutput(Action<Sequence> cancel) : IGeneration
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource<GenerationResult> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<int> _tokens = [];
    private readonly StringBuilder _text = new();
    private readonly List<TokenLogprobs> _logprobs = [];
    private readonly List<(GenerationHead Head, int Text)> _heads = [];
    private TaskCompletionSource? _reader;
    private int _readTokens, _readText, _readLogprobs, _readHeads;
    private int _readers;
    private bool _hasEnded;

    public Task<GenerationResult> Completion => _completion.Task;

    /// <summary>The scheduler's state of this generation; set once, before anybody else has it.</summary>
    public Sequence Sequence { get; set; } = null!;

    public void Cancel() => cancel(Sequence);

    public async IAsyncEnumerable<GenerationPart> ReadPartsAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        if (Interlocked.Increment(ref _readers) > 1) throw new InvalidOperationException("a generation's parts have one reader");
        var isWhole = false;
        try
        {
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                var part = TryTake(out var more);
                if (part is not null)
                {
                    yield return part;
                    continue;
                }

                if (more is null) break;
                await more.WaitAsync(cancellation).ConfigureAwait(false);
            }

            isWhole = true;
        }
        finally
        {
            if (!isWhole) Cancel();
        }
    }

    public void Append(int token, string text, TokenLogprobs? logprobs)
    {
        TaskCompletionSource? reader;
        lock (_gate)
        {
            _tokens.Add(token);
            _text.Append(text);
            if (logprobs is not null) _logprobs.Add(logprobs);
            reader = TakeReader();
        }

        reader?.SetResult();
    }

    public void AppendText(string text)
    {
        if (text.Length == 0) return;
        lock (_gate) _text.Append(text);
    }

    public void Append(GenerationHead head)
    {
        TaskCompletionSource? reader;
        lock (_gate)
        {
            _heads.Add((head, _text.Length));
            reader = TakeReader();
        }

        reader?.SetResult();
    }

    /// <summary>Ends the answer, once.</summary>
    /// <param name="onlyUnderHeads">Whether what no head commits to is withheld.</param>
    public void End(FinishReason finish, GenerationFailure? failure, Sequence sequence, GenerationTimes times, bool onlyUnderHeads)
    {
        TaskCompletionSource? reader;
        GenerationResult result;
        lock (_gate)
        {
            _hasEnded = true;
            reader = TakeReader();
            var (tokens, text) = !onlyUnderHeads ? (_tokens.Count, _text.Length) : _heads.Count == 0 ? (0, 0) : (_heads[^1].Head.Tokens, _heads[^1].Text);
            result = new GenerationResult(
                _tokens[..tokens], _text.ToString(0, text), finish, _logprobs[..Math.Min(tokens, _logprobs.Count)],
                new GenerationUsage(sequence.PromptLength, sequence.CachedPromptTokens, tokens), times, [.. _heads.Select(head => head.Head)],
                sequence.Plan.Parameters.Seed, sequence.Text.StopText, failure)
            {
                Parameters = sequence.Plan.Parameters,
            };
        }

        reader?.SetResult();
        _completion.SetResult(result);
    }

    private GenerationPart? TryTake(out Task? more)
    {
        more = null;
        lock (_gate)
        {
            if (_readHeads < _heads.Count)
            {
                // A head that was not read in time is in the result; the newest commits to what it committed to.
                var (head, text) = _heads[^1];
                _readHeads = _heads.Count;
                return Take(head.Tokens, text, head);
            }

            if (_readTokens < _tokens.Count || _readText < _text.Length) return Take(_tokens.Count, _text.Length, null);
            if (!_hasEnded) more = (_reader ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            return null;
        }
    }

    private GenerationPart Take(int tokens, int text, GenerationHead? head)
    {
        // What was read before the head was signed is behind it; the part is then the head alone.
        tokens = Math.Max(tokens, _readTokens);
        text = Math.Max(text, _readText);
        var logprobs = Math.Min(tokens, _logprobs.Count);
        var part = new GenerationPart(_tokens[_readTokens..tokens], _text.ToString(_readText, text - _readText), _logprobs[_readLogprobs..logprobs], head);
        (_readTokens, _readText, _readLogprobs) = (tokens, text, logprobs);
        return part;
    }

    private TaskCompletionSource? TakeReader()
    {
        var reader = _reader;
        _reader = null;
        return reader;
    }
}
