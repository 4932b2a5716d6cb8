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

    /// <summary>Whether to execute on the CPU when the device or its provider is missing. Default no: a host sized for a GPU should fail at start, not crawl.</summary>
    public bool AllowCpuFallback { get; init; }
}
