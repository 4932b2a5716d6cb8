using OpenGradient.Engine.Formats;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.Engine.Tests;

/// <summary>Engines over the real library, and requests to the models that tests use.</summary>
internal static class Engines
{
    public static InferenceEngine Create(IBatchSealer? sealer = null, ISealedBatchSink? sink = null, IAdmissionGate? gate = null) =>
        new(new InferenceEngineOptions { Backend = new OnnxRuntimeBackend(TestFiles.Library), Sealer = sealer, Sink = sink, Gate = gate });

    public static ModelOptions Options(string model) => new() { Name = model, Path = TestFiles.Model(model) };

    public static async Task<InferenceEngine> CreateWith(params ModelOptions[] models)
    {
        var engine = Create();
        foreach (var model in models) await engine.LoadModelAsync(model);
        return engine;
    }

    public static float[] Pixels(int seed, int rows = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 64 * rows).Select(_ => (float)random.Next(0, 17))];
    }

    public static InferenceRequest Digits(float[] pixels) =>
        new InferenceRequest("digits").Add<float>("pixels", [pixels.Length / 64, 64], pixels);

    public static async Task<byte[]> Answer(InferenceEngine engine, InferenceRequest request, int output = 0)
    {
        using var result = await engine.InferAsync(request);
        return result.Bytes(output).ToArray();
    }

    public static async Task<InferenceFailure> Failure(InferenceEngine engine, InferenceRequest request, CancellationToken cancellation = default)
    {
        var outcome = await engine.TryInferAsync(request, cancellation);
        Assert.False(outcome.IsSuccess, "the request succeeded");
        return outcome.Failure!;
    }
}
