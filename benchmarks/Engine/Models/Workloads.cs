namespace OpenGradient.Engine.Benchmarks.Models;

/// <summary>The models of the run, by name. Rates are those of two cores.</summary>
internal static class Workloads
{
    public static IReadOnlyDictionary<string, Workload> Of(EngineOptions options)
    {
        Workload[] all =
        [
            new() { Name = "digits", Path = "models/digits/model.onnx", RoughRate = 180_000, UsualBatch = 64, LargestSearched = 256, MaxBatch = 64 },
            new() { Name = "encoder", Path = $"{options.Made}/minilm/model.onnx", RoughRate = 50, UsualBatch = 4, LargestSearched = 8 },
            new() { Name = "resnet", Path = $"{options.Made}/resnet.onnx", RoughRate = 220, UsualBatch = 4, LargestSearched = 16 },
            new() { Name = "noop", Path = "models/tests/noop.onnx", RoughRate = 1_000_000, UsualBatch = 64, LargestSearched = 64, MaxBatch = 64 },
        ];
        return all.ToDictionary(workload => workload.Name);
    }
}
