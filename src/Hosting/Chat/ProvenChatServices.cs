using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using OpenGradient.Engine.Hosting.Embedding;
using OpenGradient.Engine.LanguageModels;

namespace OpenGradient.Engine.Hosting.Chat;

/// <summary>Registrations beside <see cref="OpenGradientServices.AddOpenGradientEngine"/>.</summary>
public static class ProvenChatServices
{
    /// <summary>Adds an <see cref="IChatClient"/> over a language model that the engine's configuration names.</summary>
    /// <param name="model">The model's name; null for the first of the configuration.</param>
    public static IServiceCollection AddProvenChatClient(this IServiceCollection services, string? model = null) =>
        services.AddSingleton<IChatClient>(provider =>
        {
            var engine = provider.GetRequiredService<EngineHostService>();
            return new ProvenChatClient(() => Find(engine, model) is var found ? (found, found.Parts) : default, TimeOf(provider));
        });

    /// <summary>Adds an embedding generator over a language model that the engine's configuration names.</summary>
    /// <param name="model">The model's name; null for the first of the configuration.</param>
    public static IServiceCollection AddProvenEmbeddingGenerator(this IServiceCollection services, string? model = null) =>
        services.AddSingleton<IEmbeddingGenerator<string, Embedding<float>>>(provider =>
        {
            var engine = provider.GetRequiredService<EngineHostService>();
            return new ProvenEmbeddingGenerator(() => Find(engine, model), TimeOf(provider));
        });

    /// <summary>Adds an <see cref="IChatClient"/> that passes on to another provider's and signs what this host saw of it.</summary>
    /// <param name="inner">Makes the other provider's client.</param>
    public static IServiceCollection AddReceiptingChatClient(this IServiceCollection services, Func<IServiceProvider, IChatClient> inner, ReceiptingOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(inner);
        return services.AddSingleton<IChatClient>(provider =>
        {
            var engine = provider.GetRequiredService<EngineHostService>();
            return new ReceiptingChatClient(inner(provider), () => new ReceiptingServices(engine.Host.Sealer, engine.Host.Settlement), TimeOf(provider), options);
        });
    }

    private static TimeProvider TimeOf(IServiceProvider provider) => provider.GetService<TimeProvider>() ?? TimeProvider.System;

    private static LanguageModel Find(EngineHostService engine, string? model)
    {
        var models = engine.Host.LanguageModels;
        return (model is not null ? models.Find(model) : models.All.Count > 0 ? models.All[0] : null)
            ?? throw new InvalidOperationException(model is null ? "the configuration names no language model" : $"the configuration names no language model '{model}'");
    }
}
