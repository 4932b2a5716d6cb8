using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.OnnxRuntime;

/// <summary>A folder in ONNX Runtime GenAI's layout, executed by ONNX Runtime.</summary>
public sealed class GenAiRuntime : ITokenRuntime
{
    public TokenModelInfo Info => throw new NotImplementedException();

    /// <exception cref="LanguageModelLoadException">The folder is not one that can be served.</exception>
    public static GenAiRuntime Open(string folder, LanguageModelLoadOptions options, CancellationToken cancellation) => throw new NotImplementedException();

    public void Step(ReadOnlySpan<SequenceStep> steps, Span<float> logits) => throw new NotImplementedException();

    public void Embed(in SequenceStep step, Span<float> hidden) => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
