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
    public async ValueTask<ProvenAnswer> InferAsync(InferenceRequest request, ReleasePolicy release = ReleasePolicy.Fast, CancellationToken cancellation = default)
    {
        var answer = new ProvenAnswer(Host.Settlement, await Host.Engine.InferAsync(request, cancellation).ConfigureAwait(false));
        if (release == ReleasePolicy.Fast) return answer;
        try
        {
            await answer.WaitAsync((ReceiptStage)release, cancellation).ConfigureAwait(false);
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
        if (_settlement is null) throw new InvalidOperationException("this host runs without settlement: its receipts stay signed promises");
        var outcome = await _settlement.WaitAsync(_batch.StatementId, stage, cancellation).ConfigureAwait(false);
        if (outcome.Status != WaitStatus.Reached) throw new ReceiptNotReleasedException(outcome.Status, stage);
    }

    /// <summary>Waits until nothing can undo the receipt any more.</summary>
    public Task WaitForFinalityAsync(CancellationToken cancellation = default) => WaitAsync(ReceiptStage.Final, cancellation);

    /// <summary>The receipt with its proof as far as it has grown: what an auditor needs, in one file.</summary>
    public ReceiptBundle Bundle() => _settlement?.GetProof(_batch.StatementId)?.BundleOf(Receipt) ?? new ReceiptBundle { Receipt = Receipt };

    public void Dispose() => _result.Dispose();
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

    private static string Why(WaitStatus status) => status switch
    {
        WaitStatus.Quarantined => "a check failed",
        WaitStatus.NotStored => "it could not be stored; its holder can submit it again",
        _ => "it is not known here",
    };
}
