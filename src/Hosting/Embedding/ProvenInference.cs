using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Hosting.Embedding;

/// <summary>
/// What an embedding application calls: one awaited call, an answer that carries its receipt. Safe for concurrent calls;
/// usable once the application's hosted services have started.
/// </summary>
public sealed class ProvenInference(EngineHostService service)
{
    /// <summary>The running house behind it, for everything else.</summary>
    public EngineHost Host => service.Host;

    /// <summary>Executes a request and returns when its receipt has come as far as <paramref name="release"/> asks: at once by default.</summary>
    /// <returns>An answer to dispose once its outputs have been read.</returns>
    /// <exception cref="InferenceException">The request has no result; the failure says why.</exception>
    /// <exception cref="ReceiptNotReleasedException">The receipt will not come that far: it was quarantined, or could not be stored.</exception>
    /// <exception cref="InvalidOperationException">The host runs without settlement, and more than fast was asked; nothing was executed.</exception>
    public async ValueTask<ProvenAnswer> InferAsync(InferenceRequest request, ReleasePolicy release = ReleasePolicy.Fast, CancellationToken cancellation = default)
    {
        var answer = await InferAsync(request, new ReleaseOptions(release), cancellation).ConfigureAwait(false);
        if (answer.Release == ReleaseStatus.Released) return answer;
        answer.Dispose();
        throw new ReceiptNotReleasedException(answer.Release == ReleaseStatus.Quarantined ? WaitStatus.Quarantined : WaitStatus.NotStored, (ReceiptStage)release) { Receipt = answer.Receipt };
    }

    /// <summary>Executes a request and returns when its receipt has come as far as asked, will not, or the time is over: <see cref="ProvenAnswer.Release"/> says which. No answer is lost by waiting.</summary>
    /// <returns>An answer to dispose once its outputs have been read.</returns>
    /// <exception cref="InferenceException">The request has no result; the failure says why.</exception>
    /// <exception cref="InvalidOperationException">The host runs without settlement, and more than fast was asked; nothing was executed.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled: it does not want the answer any more.</exception>
    public async ValueTask<ProvenAnswer> InferAsync(InferenceRequest request, ReleaseOptions release, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(release);
        if (release.Policy != ReleasePolicy.Fast && Host.Settlement is null) throw ProvenAnswer.WithoutSettlement();
        var answer = new ProvenAnswer(Host.Settlement, await Host.Engine.InferAsync(request, cancellation).ConfigureAwait(false));
        if (release.Policy == ReleasePolicy.Fast) return answer;
        try
        {
            await answer.AwaitReleaseAsync(release, Host.Clock, cancellation).ConfigureAwait(false);
            return answer;
        }
        catch
        {
            answer.Dispose();
            throw;
        }
    }
}

/// <summary>An answer and its receipt. The outputs are a lease on pooled memory; the receipt stays usable after disposal.</summary>
public sealed class ProvenAnswer : IDisposable
{
    private readonly Settlement.SettlementService? _settlement;
    private readonly InferenceResult _result;
    private readonly SealedBatch _batch;
    private readonly int _row;

    internal ProvenAnswer(Settlement.SettlementService? settlement, InferenceResult result)
    {
        _settlement = settlement;
        _result = result;
        _batch = result.Batch!;
        _row = result.RowIndex;
    }

    /// <summary>How waiting for the release ended that the call asked for.</summary>
    public ReleaseStatus Release { get; private set; } = ReleaseStatus.Released;

    /// <summary>The outputs, until disposal.</summary>
    public InferenceResult Result => _result;

    /// <summary>The signed promise: what was asked, what was answered, by which model and key.</summary>
    public Receipt Receipt => _batch.Receipt(_row);

    /// <summary>Where the receipt stands now.</summary>
    public ReceiptStage Stage => _settlement?.Find(_batch.StatementId)?.Stage ?? ReceiptStage.Executed;

    /// <summary>Waits until the receipt has reached a stage.</summary>
    /// <exception cref="ReceiptNotReleasedException">It will not: it was quarantined, or could not be stored.</exception>
    /// <exception cref="InvalidOperationException">The host runs without settlement.</exception>
    public async Task WaitAsync(ReceiptStage stage, CancellationToken cancellation = default)
    {
        if (_settlement is null) throw WithoutSettlement();
        var outcome = await _settlement.WaitAsync(_batch.StatementId, stage, cancellation).ConfigureAwait(false);
        if (outcome.Status != WaitStatus.Reached) throw new ReceiptNotReleasedException(outcome.Status, stage) { Receipt = Receipt };
    }

    /// <summary>Waits until nothing can undo the receipt any more.</summary>
    public Task WaitForFinalityAsync(CancellationToken cancellation = default) => WaitAsync(ReceiptStage.Final, cancellation);

    /// <summary>The receipt with its proof as far as it has grown: what an auditor needs, in one file.</summary>
    public ReceiptBundle Bundle() => _settlement?.GetProof(_batch.StatementId)?.BundleOf(Receipt) ?? new ReceiptBundle { Receipt = Receipt };

    public void Dispose() => _result.Dispose();

    internal static InvalidOperationException WithoutSettlement() => new("this host runs without settlement: its receipts stay signed promises");

    internal async Task AwaitReleaseAsync(ReleaseOptions release, TimeProvider clock, CancellationToken cancellation)
    {
        using var timer = release.Timeout is { } timeout ? new CancellationTokenSource(timeout > TimeSpan.Zero ? timeout : TimeSpan.Zero, clock) : new();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timer.Token);
        try
        {
            var outcome = await _settlement!.WaitAsync(_batch.StatementId, (ReceiptStage)release.Policy, either.Token).ConfigureAwait(false);
            Release = outcome.Status switch
            {
                WaitStatus.Reached => ReleaseStatus.Released,
                WaitStatus.Quarantined => ReleaseStatus.Quarantined,
                _ => ReleaseStatus.NotStored,
            };
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            Release = ReleaseStatus.TimedOut;
        }
    }
}

/// <summary>A receipt will not reach the stage that was waited for.</summary>
public sealed class ReceiptNotReleasedException : Exception
{
    public ReceiptNotReleasedException(WaitStatus status, ReceiptStage stage)
        : base($"the receipt will not become {stage.Text()}: {Why(status)}") => Status = status;

    public ReceiptNotReleasedException(string message) : base(message) { }

    public ReceiptNotReleasedException() { }

    public ReceiptNotReleasedException(string message, Exception innerException) : base(message, innerException) { }

    public WaitStatus Status { get; }

    /// <summary>The receipt, which its holder can submit again where it could not be stored; null where the exception was not made by a wait.</summary>
    public Receipt? Receipt { get; init; }

    private static string Why(WaitStatus status) => status switch
    {
        WaitStatus.Quarantined => "a check failed",
        WaitStatus.NotStored => "it could not be stored; its holder can submit it again",
        _ => "it is not known here",
    };
}
