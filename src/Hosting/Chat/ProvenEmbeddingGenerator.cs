using Microsoft.Extensions.AI;
using OpenGradient.Engine.LanguageModels;
using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.Hosting.Chat;

/// <summary>
/// A served language model's hidden states as embeddings: the last token's, scaled to length 1. Embeddings carry no receipt.
/// Safe for concurrent calls; it owns nothing.
/// </summary>
public sealed class ProvenEmbeddingGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly Func<LanguageModel> _model;
    private readonly TimeProvider _time;

    /// <param name="time">For the embeddings' date.</param>
    public ProvenEmbeddingGenerator(LanguageModel model, TimeProvider time) : this(() => model, time) => ArgumentNullException.ThrowIfNull(model);

    /// <param name="model">Asked at every call: the model of a host may be there only once it has started.</param>
    internal ProvenEmbeddingGenerator(Func<LanguageModel> model, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        (_model, _time) = (model, time);
    }

    /// <exception cref="GenerationException">A text is empty or too long for the model, or the model refused or failed.</exception>
    /// <exception cref="ArgumentException">Another model or another number of dimensions was asked for.</exception>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        var model = _model();
        if (options?.ModelId is { } asked && asked != model.Name) throw new ArgumentException($"model '{asked}' was asked for; this generator's is '{model.Name}'", nameof(options));
        if (options?.Dimensions is { } dimensions && dimensions != model.Info.HiddenSize)
            throw new ArgumentException($"{dimensions} dimensions were asked for; this model's embeddings have {model.Info.HiddenSize}", nameof(options));
        var embeddings = new GeneratedEmbeddings<Embedding<float>>();
        long tokens = 0;
        foreach (var value in values)
        {
            var encoded = model.Tokenizer.Encode(value, addSpecialTokens: true);
            tokens += encoded.Length;
            embeddings.Add(new Embedding<float>(await model.EmbedAsync(encoded, cancellationToken).ConfigureAwait(false)) { ModelId = model.Name, CreatedAt = _time.GetUtcNow() });
        }

        embeddings.Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens };
        return embeddings;
    }

    /// <summary>The generator itself, its <see cref="EmbeddingGeneratorMetadata"/>, and the <see cref="LanguageModel"/> behind it.</summary>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        if (serviceType.IsInstanceOfType(this)) return this;
        if (serviceType == typeof(EmbeddingGeneratorMetadata)) return new EmbeddingGeneratorMetadata(ProvenChatClient.ProviderName, null, _model().Name, _model().Info.HiddenSize);
        return serviceType == typeof(LanguageModel) ? _model() : null;
    }

    public void Dispose()
    {
        // The model is its host's.
    }
}
