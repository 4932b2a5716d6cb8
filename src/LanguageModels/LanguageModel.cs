using System.Security.Cryptography;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Diagnostics;
using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Generation.Cache;
using OpenGradient.Engine.LanguageModels.Generation.Text;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Templates;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels;

/// <summary>A served model. Safe for concurrent calls; disposal ends every answer with its head signed.</summary>
public sealed class LanguageModel : ITextGenerator, IAsyncDisposable
{
    private static readonly TimeSpan LeastAdvice = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MostAdvice = TimeSpan.FromMinutes(1);

    private readonly LanguageModelOptions _options;
    private readonly LanguageModelServices _services;
    private readonly ModelCounters _counters = new();
    private readonly LanguageModelInstruments _instruments;
    private readonly QueuePlaces _places;
    private readonly PagePool _pool;
    private readonly SequenceScheduler _scheduler;
    private readonly Lazy<Task> _disposal;

    /// <summary>Starts the thread that serves the model, and takes the runtime over.</summary>
    /// <exception cref="ArgumentException">An option is outside its range; the message names it. The runtime stays the caller's.</exception>
    public LanguageModel(LanguageModelParts parts, LanguageModelOptions options, LanguageModelServices services)
    {
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(services);
        if (options.Error() is { } error) throw new ArgumentException(error, nameof(options));
        Parts = parts;
        Info = parts.Runtime.Info;
        _options = options;
        _services = services;
        _places = new QueuePlaces(options.MaxQueued, options.MaxCallerShare);
        _pool = new PagePool(Info.Pages, Info.PageTokens, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)));
        _instruments = new LanguageModelInstruments(parts.Name, parts.Version, () => Statistics);
        _scheduler = new SequenceScheduler(parts, options, services, _counters, _instruments, _places, _pool);
        _disposal = new Lazy<Task>(StopAsync);
    }

    public string Name => Parts.Name;

    public string Version => Parts.Version;

    public TokenModelInfo Info { get; }

    public Tokenizer Tokenizer => Parts.Tokenizer;

    public ChatTemplate? Template => Parts.Template;

    public LanguageModelParts Parts { get; }

    /// <summary>What the model has done so far; counts that belong together may be one step apart.</summary>
    public LanguageModelStatistics Statistics => _counters.Snapshot(_places.Waiting, _pool.Count);

    internal int PrefillTokensPerStep => _options.PrefillTokensPerStep;

    internal TimeProvider Time => _services.Time;

    /// <inheritdoc/>
    public IGeneration? Start(GenerationRequest request, out GenerationFailure? failure)
    {
        ArgumentNullException.ThrowIfNull(request);
        var output = TryStart(request, out failure);
        if (output is null) _counters.Refuse();
        return output;
    }

    /// <summary>The last token's final hidden state, scaled to length 1: <see cref="TokenModelInfo.HiddenSize"/> floats.</summary>
    /// <exception cref="GenerationException">The tokens are empty, too many or outside the vocabulary, the queue is full, or the runtime failed.</exception>
    public async ValueTask<float[]> EmbedAsync(ReadOnlyMemory<int> tokens, CancellationToken cancellation)
    {
        if (TokenCheck.Error(tokens.Span, Info, Info.ContextLength) is { } error) throw new GenerationException(error);
        var piece = Info.Prefill == PrefillRule.FixedChunks ? Info.PrefillChunk : Math.Min(_options.PrefillTokensPerStep, Info.MaxStepTokens);
        var work = new EmbeddingWork(tokens.ToArray(), piece);
        await RunAsync(work, cancellation).ConfigureAwait(false);
        return await work.Result.ConfigureAwait(false);
    }

    /// <summary>Ends every answer where it is, with its head signed, and frees the runtime.</summary>
    public ValueTask DisposeAsync() => new(_disposal.Value);

    /// <summary>Has something done on the scheduler's thread; completes with it, whatever its outcome.</summary>
    internal async Task RunAsync(CacheWork work, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (Info.Pages < _pool.PagesFor(work.Tokens))
            throw new GenerationException(new GenerationFailure(GenerationError.CacheTooSmall, $"{work.Tokens} tokens are more than the cache's {(long)Info.Pages * Info.PageTokens}"));
        if (_places.TryEnter("") is { } full) throw new GenerationException(QueueFull(full));
        if (!_scheduler.TryAdd(work))
        {
            _places.Leave("");
            throw new GenerationException(Failures.Stopping);
        }

        await using var registration = cancellation.UnsafeRegister(
            static state =>
            {
                var (scheduler, work) = ((SequenceScheduler, CacheWork))state!;
                work.Cancel();
                scheduler.Wake();
            },
            (_scheduler, work)).ConfigureAwait(false);
        await work.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private GenerationOutput? TryStart(GenerationRequest request, out GenerationFailure? failure)
    {
        var admitted = _services.Time.GetTimestamp();
        if (GenerationPlan.TryMake(request, Info, Parts.EndTokens, out failure) is not { } plan) return null;
        if (!TryBegin(request, out var constraint, out failure)) return null;
        var advice = _services.Gate?.Advise() ?? default;
        // One whose time is over before it may begin is told now.
        if (advice.Verdict == AdmissionVerdict.Refuse || (advice.Verdict == AdmissionVerdict.SlowDown && request.Timeout <= advice.Wait))
        {
            failure = new GenerationFailure(GenerationError.TrustGapExceeded, "the open trust gap has reached the operator's bound", advice.Wait);
            return null;
        }

        if (_places.TryEnter(plan.CallerKey) is { } full)
        {
            failure = QueueFull(full);
            return null;
        }

        var output = new GenerationOutput(_scheduler.Cancel);
        var sequence = new Sequence(plan, output, NewPages(plan), new AnswerText(Parts.Tokenizer?.StartDetokenizer(skipSpecialTokens: true), plan.Parameters.Stop), constraint);
        sequence.Times.Admitted = admitted;
        sequence.Times.Ready = advice.Verdict == AdmissionVerdict.SlowDown ? After(admitted, advice.Wait) : 0;
        sequence.Times.Deadline = request.Timeout is { } timeout ? After(admitted, timeout) : long.MaxValue;
        output.Sequence = sequence;
        if (_scheduler.TryAdd(sequence)) return output;
        _places.Leave(plan.CallerKey);
        failure = Failures.Stopping;
        return null;
    }

    private static bool TryBegin(GenerationRequest request, out Constraints.ITokenConstraint? constraint, out GenerationFailure? failure)
    {
        (constraint, failure) = (null, null);
        try
        {
            constraint = request.Constraint?.Start();
            return true;
        }
        catch (Exception)
        {
            failure = new GenerationFailure(GenerationError.ConstraintUnsatisfiable, "the constraint failed");
            return false;
        }
    }

    private SequencePages NewPages(GenerationPlan plan)
    {
        var isPublished = _options.ReusePrefixes && Residency.MayRecompute(Info);
        return new SequencePages(_pool, _options.SharePrefixesAcrossCallers ? "" : plan.CallerKey, isPublished);
    }

    private GenerationFailure QueueFull(string what)
    {
        // The time in which half of what waits gets a slot.
        var half = TimeSpan.FromSeconds(_scheduler.SecondsPerStart * _places.Waiting / 2);
        var advice = half < LeastAdvice ? LeastAdvice : half > MostAdvice ? MostAdvice : half;
        return new GenerationFailure(GenerationError.QueueFull, $"the queue is full: {what}", advice);
    }

    private long After(long now, TimeSpan wait)
    {
        var ticks = wait.TotalSeconds * _services.Time.TimestampFrequency;
        return ticks >= long.MaxValue - now ? long.MaxValue : now + (long)ticks;
    }

    private async Task StopAsync()
    {
        await _scheduler.StopAsync().ConfigureAwait(false);
        _scheduler.Dispose();
        _instruments.Dispose();
        Parts.Runtime.Dispose();
    }
}
