using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement;

/// <summary>What settlement is given by whoever composes the engine. Nothing of it is disposed here.</summary>
public sealed record SettlementParts
{
    public required RpcClient Rpc { get; init; }

    public required IStatementVerifier Verifier { get; init; }

    public required ICheckpointSigner CheckpointSigner { get; init; }

    /// <summary>The log's key; its hash is the log's identity.</summary>
    public required INoteSigner NoteSigner { get; init; }

    /// <summary>Pays for transactions and holds the registrar role. Null where a worker anchors, which needs <see cref="OpenOutbox"/>.</summary>
    public required ITransactionSigner? TransactionSigner { get; init; }

    /// <summary>Opens a journal that a settlement worker shares: this process then signs checkpoints and publishes, and the worker anchors. Null: the segment log in the data folder, and everything in this process.</summary>
    public Func<IRecordSink, OutboxNews, IOutbox>? OpenOutbox { get; init; }

    /// <summary>Given every epoch whose key has anchored this log, before this process announces its own; what it throws ends the opening, with nothing written.</summary>
    public Action<IReadOnlyList<Epoch>>? Predecessors { get; init; }

    /// <summary>Speaks to witnesses; needed where the options name some.</summary>
    public HttpClient? Http { get; init; }

    /// <summary>Checks what witnesses answer; needed where the options name some.</summary>
    public ISignatureVerifier? Signatures { get; init; }

    public IDisk Disk { get; init; } = new LinuxDisk();

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
