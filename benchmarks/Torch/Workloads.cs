namespace OpenGradient.Engine.Benchmarks.Models;

/// <summary>The TorchScript archives of the run.</summary>
internal static class Workloads
{
    public static IReadOnlyList<Workload> Of(TorchOptions options)
    {
        var gpu = options.Cuda is not null;
        return
        [
            new() { Name = "digits", Path = $"{options.Models}/digits/model.pt", RoughRate = gpu ? 400_000 : 120_000, UsualBatch = 64, LargestSearched = 64, MaxBatch = 64 },
            new() { Name = "encoder", Path = $"{options.Made}/minilm/model.pt", RoughRate = gpu ? 15_000 : 40, UsualBatch = gpu ? 64 : 4, LargestSearched = gpu ? 64 : 8 },
        ];
    }
}
