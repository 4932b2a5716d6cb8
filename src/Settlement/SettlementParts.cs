using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Settlement;

/// <summary>What settlement is given by whoever composes the engine. Nothing of it is disposed here.</summary>
public sealed record SettlementParts
{
    public required RpcClient Rpc { get; init; }

    public required IStatementVerifier Verifier { get; init; }

    public required ICheckpointSigner CheckpointSigner { get; init; }

    /// <summary>The log's key; its hash is the log's identity.</summary>
    public required INoteSigner NoteSigner { get; init; }

    /// <summary>Pays for transactions and holds the registrar role.</summary>
    public required ITransactionSigner TransactionSigner { get; init; }

    /// <summary>Given every epoch whose key has anchored this log, before this process announces its own; what it throws ends the opening, with nothing written.</summary>
    public Action<IReadOnlyList<Epoch>>? Predecessors { get; init; }

    /// <summary>Speaks to witnesses; needed where the options name some.</summary>
    public HttpClient? Http { get; init; }

    /// <summary>Checks what witnesses answer; needed where the options name some.</summary>
    public ISignatureVerifier? Signatures { get; init; }

    public IDisk Disk { get; init; } = new LinuxDisk();

    public TimeProvider Clock { get; init; } = TimeProvider.System;
}
