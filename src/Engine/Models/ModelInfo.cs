using OpenGradient.Engine.Determinism;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine;

/// <summary>A loaded model. Immutable.</summary>
/// <param name="Options">What it was loaded with, with the padding rule that the probe found.</param>
/// <param name="Context">What every statement of it says: identity, fingerprint, determinism class.</param>
/// <param name="Inputs">In the model's order.</param>
/// <param name="Outputs">In the model's order.</param>
/// <param name="IsBatchable">Whether rows of several requests share a call, by its declaration, its class, its options and its executions.</param>
/// <param name="LoadedBytes">Bytes of all its files.</param>
public sealed record ModelInfo(
    ModelOptions Options,
    StatementContext Context,
    IReadOnlyList<TensorSpec> Inputs,
    IReadOnlyList<TensorSpec> Outputs,
    bool IsBatchable,
    long LoadedBytes)
{
    /// <summary>What the probe at load found; null when the options state the class. A re-execution that gives other bits changes <see cref="Context"/>, not this.</summary>
    public ProbeReport? Probe { get; init; }

    public string Name => Options.Name;

    public string Version => Options.Version;

    /// <summary>Root over its files' 4 MiB chunks (docs/formats.md, "Model identity").</summary>
    public Hash256 Identity => Context.ModelIdentity;
}
