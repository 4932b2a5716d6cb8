using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Settling;

namespace OpenGradient.Engine.Settlement.Workers;

/// <summary>Registers a log's running key and follows its signed checkpoints to finality: the settlement worker's part. Signs transactions, never checkpoints.</summary>
internal sealed class AnchoringDuty : IWorkerDuty
{
    private readonly LogReplica _replica;
    private readonly Intake _intake;
    private readonly ChainStep _step;

    public AnchoringDuty(LogReplica replica, EvmChain chain, ITransactionSigner account, AccountNonces nonces, SettlementOptions options)
    {
        _replica = replica;
        var (state, journal, conditions, logId) = (replica.State, replica.Journal, replica.Conditions, replica.LogId);
        _intake = new Intake(state, replica.Outbox, journal, NobodysVerifier.Instance, guard: null, gate: null);
        var reconciler = new Reconciler(state, journal, chain, new HeadGuard(state, conditions, gate: null), conditions, options, logId);
        var epochs = new JournaledEpochs(state);
        var registrar = new KeyRegistrar(state, journal, chain, reconciler, conditions, epochs, account, logId);
        var sender = new Sender(state, journal, chain, conditions, account, options, logId);
        _step = new ChainStep(chain, new Anchoring(reconciler, registrar, sender, account, next => nonces.Next(logId, next)), null, new EpochGuard(state, journal, epochs, conditions, options), conditions, options, logId);
    }

    public Task TickAsync(CancellationToken cancellationToken)
    {
        _intake.SkipVerified();
        _intake.SkipSequenced();
        // A log that no engine has opened yet, or that has only just been made, has nothing to anchor.
        return _replica.State.Locked(view => view.NewestEpoch) is null ? Task.CompletedTask : _step.TickAsync(cancellationToken);
    }

    private sealed class NobodysVerifier : IStatementVerifier
    {
        public static NobodysVerifier Instance { get; } = new();

        public IReadOnlyList<VerificationReason> Verify(ReadOnlyMemory<byte> statement) => throw new InvalidOperationException("this worker anchors and does not verify");
    }
}
