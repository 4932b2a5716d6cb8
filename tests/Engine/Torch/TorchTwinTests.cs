using OpenGradient.Engine.Engine.Tests.Contract;

namespace OpenGradient.Engine.Engine.Tests.Torch;

/// <summary>The shipped models give the same answers through both libraries, within the tolerance that models/README.md states.</summary>
public sealed class TorchTwinTests
{
    private const double Tolerance = 1e-4;

    [TorchFact]
    public async Task Infer_Digits_AnswersAsItsOnnxTwin()
    {
        await using var onnx = await OnnxSubject.Instance.CreateWith(OnnxSubject.Instance.Options("digits"));
        await using var torch = await TorchSubject.Instance.CreateWith(TorchSubject.Instance.Options("digits"));
        for (var seed = 0; seed < 20; seed++)
        {
            using var expected = await onnx.InferAsync(Engines.Digits(Engines.Pixels(seed, rows: 1 + (seed % 4))));
            using var answer = await torch.InferAsync(Engines.Digits(Engines.Pixels(seed, rows: 1 + (seed % 4))));
            Close(expected, answer);
            Assert.Equal(expected.Values<long>(1), answer.Values<long>(1));
        }
    }

    [TorchFact]
    public async Task Infer_Encoder_AnswersAsItsOnnxTwin()
    {
        await using var onnx = await OnnxSubject.Instance.CreateWith(OnnxSubject.Instance.Options("encoder"));
        await using var torch = await TorchSubject.Instance.CreateWith(TorchSubject.Instance.Options("encoder"));
        for (var seed = 0; seed < 10; seed++)
        {
            var ids = Enumerable.Range(0, 64).Select(i => (long)((seed * 7) + i) % 256).ToArray();
            var mask = Enumerable.Range(0, 64).Select(i => i % 32 <= 8 + seed ? 1L : 0L).ToArray();
            InferenceRequest Request() => new InferenceRequest("encoder").Add<long>("input_ids", [2, 32], ids).Add<long>("attention_mask", [2, 32], mask);
            using var expected = await onnx.InferAsync(Request());
            using var answer = await torch.InferAsync(Request());
            Close(expected, answer);
        }
    }

    [TorchFact]
    public async Task Load_ShippedModels_HaveAClassThatPromisesBits()
    {
        foreach (var model in (string[])["digits", "encoder"])
        {
            await using var engine = await TorchSubject.Instance.CreateWith(TorchSubject.Instance.Options(model) with { Determinism = null, ProbeBudget = TimeSpan.FromMinutes(1), Workers = 1 });
            var probe = engine.Find(model)!.Probe!;
            Assert.True(probe.Class is Formats.DeterminismClass.A or Formats.DeterminismClass.B, $"{model}: {probe}");
        }
    }

    private static void Close(InferenceResult expected, InferenceResult answer)
    {
        Assert.Equal(expected.Shape(0), answer.Shape(0));
        Assert.All(expected.Values<float>(0).ToArray().Zip(answer.Values<float>(0).ToArray()), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, Tolerance * Math.Max(1, Math.Abs(pair.First))));
    }
}
