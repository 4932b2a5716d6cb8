using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Benchmarks.Replay;

/// <summary>One model of the replay point: its file, how many receipts of it, and from how many callers.</summary>
/// <param name="Class">Stated for a model whose neighbours change its answers, since replay then needs it to have none; null leaves it to the engine.</param>
internal sealed record ReplayedModel(string Path, int Receipts, int MaxBatch = 64, DeterminismClass? Class = null)
{
    public string Name => System.IO.Path.GetFileName(Path) == "model.onnx"
        ? System.IO.Path.GetFileName(System.IO.Path.GetDirectoryName(Path))!
        : System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>Every shipped model that answers in less than seconds, and the two made for benchmarks.</summary>
    public static IEnumerable<ReplayedModel> All(EngineOptions options)
    {
        var part = options.Quick ? 10 : 1;
        yield return new("models/digits/model.onnx", 2000 / part);
        yield return new("models/encoder/model.onnx", 1000 / part);
        foreach (var file in Directory.GetFiles("models/tests", "*.onnx").Order(StringComparer.Ordinal))
        {
            var name = System.IO.Path.GetFileNameWithoutExtension(file);
            // One call of slow takes two seconds; the others have open inner dimensions, which the tests of replay vary.
            if (name is not ("slow" or "lengths" or "totals")) yield return new(file, 400 / part, Class: name == "dynq" ? DeterminismClass.C : null);
        }

        if (options.Quick) yield break;
        yield return new($"{options.Made}/resnet.onnx", 96, 8);
        yield return new($"{options.Made}/minilm/model.onnx", 32, 4);
    }
}
