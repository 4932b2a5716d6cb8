namespace OpenGradient.Engine.Backends;

/// <summary>Which device executes.</summary>
public enum ExecutionDevice
{
    Cpu,
    Cuda,
}

/// <summary>How a backend executes a model. Immutable.</summary>
public sealed record ExecutionOptions
{
    /// <summary>Default CPU: it is there on every host and its results are the ones the determinism probes cover.</summary>
    public ExecutionDevice Device { get; init; } = ExecutionDevice.Cpu;

    /// <summary>Ordinal of the GPU.</summary>
    public int DeviceId { get; init; }

    /// <summary>
    /// Threads inside one backend call. Default 1: under load as many calls as cores run at once, which is faster than threads
    /// inside one, and a row's bits then depend on less. More shortens a lone call (latency mode); it is in the fingerprint,
    /// and the model's determinism class is probed with it.
    /// </summary>
    public int IntraOpThreads { get; init; } = 1;

    /// <summary>Whether to execute on the CPU when the device or its provider is missing. Default no: a host sized for a GPU should fail at start, not crawl.</summary>
    public bool AllowCpuFallback { get; init; }
}
