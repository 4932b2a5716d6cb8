using System.Text.Json;
using OpenGradient.Engine.Engine.Tests.Contract;

namespace OpenGradient.Engine.Engine.Tests.Torch;

/// <summary>The shipped classifier says of each shipped image what its ONNX twin says: 352 of 360 rightly, as models/README.md has it.</summary>
public sealed class TorchHeldBackTests
{
    [TorchFact]
    public async Task Infer_HeldBackImages_AreClassifiedAsByTheOnnxTwin()
    {
        await using var onnx = await OnnxSubject.Instance.CreateWith(OnnxSubject.Instance.Options("digits"));
        await using var torch = await TorchSubject.Instance.CreateWith(TorchSubject.Instance.Options("digits"));
        using var images = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(TestFiles.Root, "models", "digits", "inputs", "held-back.json")));
        var right = 0;
        foreach (var chunk in images.RootElement.EnumerateArray().Chunk(8))
        {
            var pixels = chunk.SelectMany(Pixels).ToArray();
            using var expected = await onnx.InferAsync(Engines.Digits(pixels));
            using var answer = await torch.InferAsync(Engines.Digits(pixels));
            Assert.Equal(expected.Values<long>(1), answer.Values<long>(1));
            right += chunk.Zip(answer.Values<long>(1).ToArray()).Count(pair => pair.First.GetProperty("label").GetInt64() == pair.Second);
        }

        Assert.Equal(352, right);
    }

    private static IEnumerable<float> Pixels(JsonElement image) =>
        image.GetProperty("request").GetProperty("inputs")[0].GetProperty("data").EnumerateArray().Select(value => value.GetSingle());
}
