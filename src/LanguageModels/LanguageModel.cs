using OpenGradient.Engine.LanguageModels.Generation;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Templates;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels;

/// <summary>A served model. Safe for concurrent calls; disposal ends every answer with its head signed.</summary>
public sealed class LanguageModel : ITextGenerator, IAsyncDisposable
{
    public LanguageModel(LanguageModelParts parts, LanguageModelOptions options, LanguageModelServices services) => throw new NotImplementedException();

    public string Name => throw new NotImplementedException();

    public string Version => throw new NotImplementedException();

    public TokenModelInfo Info => throw new NotImplementedException();

    public Tokenizer Tokenizer => throw new NotImplementedException();

    public ChatTemplate? Template => throw new NotImplementedException();

    public LanguageModelParts Parts => throw new NotImplementedException();

    public IGeneration? Start(GenerationRequest request, out GenerationFailure? failure) => throw new NotImplementedException();

    /// <summary>The last token's final hidden state, scaled to length 1: <see cref="TokenModelInfo.HiddenSize"/> floats.</summary>
    public ValueTask<float[]> EmbedAsync(ReadOnlyMemory<int> tokens, CancellationToken cancellation) => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
