namespace OpenGradient.Engine.Benchmarks.Models;

/// <summary>A TorchScript archive and how to drive it. Immutable.</summary>
internal sealed record Workload
{
    public required string Name { get; init; }

    public required string Path { get; init; }

    /// <summary>Rows per second, roughly: sizes windows and logs, is never reported.</summary>
    public required double RoughRate { get; init; }

    /// <summary>The batch that quick runs take for the best static one.</summary>
    public required int UsualBatch { get; init; }

    /// <summary>Largest batch of the search, and the engine's: no more rows than callers can be in flight.</summary>
    public required int LargestSearched { get; init; }

    /// <summary>Null takes the best static batch.</summary>
    public int? MaxBatch { get; init; }

    /// <summary>How many distinct rows are asked: few of a slow model, since each is executed once more when answers are checked.</summary>
    public int Rows => IsSlow ? 32 : 256;

    /// <summary>Whether a call takes milliseconds: windows then hold few of them.</summary>
    public bool IsSlow => RoughRate < 5000;

    public static IReadOnlyList<Workload> Catalogue(TorchOptions options)
    {
        var gpu = options.Cuda is not null;
        return
        [
            new() { Name = "digits", Path = $"{options.Models}/digits/model.pt", RoughRate = gpu ? 400_000 : 120_000, UsualBatch = 64, LargestSearched = 64, MaxBatch = 64 },
            new() { Name = "encoder", Path = $"{options.Made}/minilm/model.pt", RoughRate = gpu ? 15_000 : 40, UsualBatch = gpu ? 64 : 4, LargestSearched = gpu ? 64 : 8 },
        ];
    }
}
