using OpenGradient.Engine.Diagnostics;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Models;
using OpenGradient.Engine.Serving;

namespace OpenGradient.Engine;

/// <summary>
/// Serves several models at once: request → batch → outputs, sealed. Safe for concurrent calls. Disposal admits nothing more
/// and answers everything that was admitted.
/// </summary>
public sealed class InferenceEngine : IAsyncDisposable
{
    private readonly InferenceEngineOptions _options;
    private readonly ModelLoader _loader;
    private readonly ModelRegistry _registry = new();
    private readonly EngineInstruments _instruments;
    private readonly SlowedRequests _slowed;

    public InferenceEngine(InferenceEngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _slowed = new SlowedRequests(options.Time);
        _instruments = new EngineInstruments(() => _registry.Lanes);
        _loader = new ModelLoader(options.Backend, new LaneServices(options.Time, options.Sealer, options.Sink, _instruments, options.Demoted, options.Tap));
    }

    /// <summary>Every loaded model and version.</summary>
    public IReadOnlyList<ModelInfo> Models => [.. _registry.Lanes.Select(lane => lane.Info)];

    /// <summary>Finds a loaded model; null version for the newest, the one first loaded last.</summary>
    public ModelInfo? Find(string model, string? version = null) => _registry.Find(model, version)?.Info;

    /// <summary>What a loaded model has done so far, null when it is not loaded.</summary>
    public ModelStatistics? Statistics(string model, string? version = null) => _registry.Find(model, version)?.Statistics;

    /// <summary>How well a loaded model can serve and why, null when it is not loaded.</summary>
    public ModelHealthReport? Health(string model, string? version = null) => _registry.Find(model, version)?.Health.Current;

    /// <summary>
    /// The last batches of a loaded model, oldest first, at most 128 per worker: what each did and why it was no larger. Null when
    /// the model is not loaded.
    /// </summary>
    public IReadOnlyList<BatchRecord>? RecentBatches(string model, string? version = null) => _registry.Find(model, version)?.RecentBatches;

    /// <summary>
    /// Reads, identifies, opens, probes and warms a model, then serves it. A model of the same name and version serves until then, is
    /// drained and freed; requests between the two go to one or the other.
    /// </summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="ModelLoadException">The model cannot be served; what served before keeps serving.</exception>
    public async Task<ModelInfo> LoadModelAsync(ModelOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        var lane = await _loader.LoadAsync(options, cancellationToken).ConfigureAwait(false);
        if (!_registry.TryPut(lane, out var replaced))
        {
            await lane.DisposeAsync().ConfigureAwait(false);
            throw new ModelLoadException(ModelLoadReason.ShuttingDown, $"model '{options.Name}' was not loaded: the engine is shutting down");
        }

        if (replaced is not null) await replaced.DisposeAsync().ConfigureAwait(false);
        return lane.Info;
    }

    /// <summary>Stops admitting to a model, answers what it holds, and frees it. False when it is not loaded. Null version: the newest.</summary>
    public async Task<bool> UnloadModelAsync(string model, string? version = null)
    {
        var lane = _registry.Remove(model, version);
        if (lane is null) return false;
        await lane.DisposeAsync().ConfigureAwait(false);
        return true;
    }

    /// <summary>Executes a request; the result is a lease to dispose.</summary>
    /// <exception cref="InferenceException">The failure, from the closed set of <see cref="InferenceFailureKind"/>.</exception>
    public ValueTask<InferenceResult> InferAsync(InferenceRequest request, CancellationToken cancellationToken = default)
    {
        if (Ask(request, cancellationToken, out var delay) is { } refused) return ValueTask.FromException<InferenceResult>(new InferenceException(refused));
        if (delay > TimeSpan.Zero) return InferSlowedAsync(request, delay, cancellationToken);
        return Admit(request, default, cancellationToken, out var pending) is { } failure
            ? ValueTask.FromException<InferenceResult>(new InferenceException(failure))
            : new ValueTask<InferenceResult>(pending, pending.Token);
    }

    /// <summary>Executes a request; every failure is a value. Await the task once, and dispose the result.</summary>
    public ValueTask<InferenceOutcome> TryInferAsync(InferenceRequest request, CancellationToken cancellationToken = default)
    {
        if (Ask(request, cancellationToken, out var delay) is { } refused) return new ValueTask<InferenceOutcome>(new InferenceOutcome(refused));
        if (delay > TimeSpan.Zero) return TryInferSlowedAsync(request, delay, cancellationToken);
        return Admit(request, default, cancellationToken, out var pending) is { } failure
            ? new ValueTask<InferenceOutcome>(new InferenceOutcome(failure))
            : new ValueTask<InferenceOutcome>(pending, pending.Token);
    }

    /// <summary>Admits nothing more, answers everything that was admitted, frees every model.</summary>
    public async ValueTask DisposeAsync()
    {
        var lanes = _registry.Close();
        await _slowed.DisposeAsync().ConfigureAwait(false);
        foreach (var lane in lanes) await lane.DisposeAsync().ConfigureAwait(false);
        _instruments.Dispose();
    }

    // The gate is asked here and nowhere else: a request that was slowed down is not asked about again.
    private InferenceFailure? Ask(InferenceRequest request, CancellationToken cancellationToken, out TimeSpan delay)
    {
        ArgumentNullException.ThrowIfNull(request);
        delay = default;
        if (cancellationToken.IsCancellationRequested) return Failures.Cancelled;
        if (request.Timeout is { } timeout && timeout <= TimeSpan.Zero) return Failures.DeadlineExceeded;
        if (_options.Gate is not { } gate) return null;
        var advice = gate.Advise();
        if (advice.Verdict == AdmissionVerdict.Admit) return null;
        if (advice.Verdict == AdmissionVerdict.Refuse) return Failures.TrustGap(advice.Wait);
        delay = advice.Wait;
        return null;
    }

    private async ValueTask<InferenceResult> InferSlowedAsync(InferenceRequest request, TimeSpan delay, CancellationToken cancellationToken)
    {
        var outcome = await TryInferSlowedAsync(request, delay, cancellationToken).ConfigureAwait(false);
        return outcome.Failure is { } failure ? throw new InferenceException(failure) : outcome.Result;
    }

    private async ValueTask<InferenceOutcome> TryInferSlowedAsync(InferenceRequest request, TimeSpan delay, CancellationToken cancellationToken)
    {
        if (await _slowed.WaitAsync(delay, request.Timeout, cancellationToken).ConfigureAwait(false) is { } refused) return new InferenceOutcome(refused);
        return Admit(request, delay, cancellationToken, out var pending) is { } failure
            ? new InferenceOutcome(failure)
            : await new ValueTask<InferenceOutcome>(pending, pending.Token).ConfigureAwait(false);
    }

    private InferenceFailure? Admit(InferenceRequest request, TimeSpan waited, CancellationToken cancellationToken, out PendingRequest pending)
    {
        pending = null!;
        while (true)
        {
            if (_registry.Find(request.Model, request.Version) is not { } lane)
                return _registry.IsClosed ? Failures.ShuttingDown : Failures.UnknownModel(request.Model, request.Version);
            var failure = lane.TryAdmit(request, waited, cancellationToken, out pending);
            if (failure?.Kind != InferenceFailureKind.ModelNotReady) return failure;

            // Closed between finding and admitting: replaced, removed, or the engine is closing. Its successor is already there.
            if (ReferenceEquals(_registry.Find(request.Model, request.Version), lane)) return failure;
        }
    }
}
