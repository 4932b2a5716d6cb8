using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Determinism;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine;

/// <summary>What an engine is built from. Immutable.</summary>
public sealed record InferenceEngineOptions
{
    /// <summary>Executes the models. Owned by the caller.</summary>
    public required IModelBackend Backend { get; init; }

    /// <summary>Seals every executed batch. Null: results carry no receipts.</summary>
    public IBatchSealer? Sealer { get; init; }

    /// <summary>Takes sealed batches for settlement. Null: receipts stay signed promises.</summary>
    public ISealedBatchSink? Sink { get; init; }

    /// <summary>Sees sealed batches with their inputs and outputs, for a later audit. Null: nothing is copied.</summary>
    public IExecutionTap? Tap { get; init; }

    /// <summary>Bounds the open trust gap. Null: unbounded.</summary>
    public IAdmissionGate? Gate { get; init; }

    /// <summary>Told when a row executed again gave other bits, from a pool thread; for the host's log. Must not throw.</summary>
    public Action<ModelDemotion>? Demoted { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
