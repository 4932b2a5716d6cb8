namespace OpenGradient.Engine.Benchmarks.Models;

/// <summary>A model file and how to drive it. Immutable.</summary>
internal sealed record Workload
{
    public required string Name { get; init; }

    public required string Path { get; init; }

    /// <summary>Rows per second, roughly: sizes windows and logs, is never reported.</summary>
    public required double RoughRate { get; init; }

    /// <summary>The batch that quick runs take for the best static one.</summary>
    public required int UsualBatch { get; init; }

    /// <summary>Largest batch of the search; beyond it nothing is gained and windows become long.</summary>
    public required int LargestSearched { get; init; }

    /// <summary>The engine's largest batch; null takes the best static one.</summary>
    public int? MaxBatch { get; init; }

    /// <summary>Whether a call takes milliseconds: windows then hold few of them.</summary>
    public bool IsSlow => RoughRate < 5000;
}
