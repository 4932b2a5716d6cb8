using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using OpenGradient.Engine.Hosting.Chat;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Hosting.Embedding;

namespace Example;

public static class ChatExample
{
    /// <summary>One registration for the engine, one for a model that its configuration names.</summary>
    public static void Register(IServiceCollection services, HostConfiguration configuration)
    {
        services.AddOpenGradientEngine(configuration);
        services.AddProvenChatClient("scripture");
    }

    /// <summary>An answer as it is written, and in the end the name of its receipt.</summary>
    public static async Task<string?> Tell(IChatClient client, string question, TextWriter output, CancellationToken cancellation)
    {
        AnswerReceipt? receipt = null;
        await foreach (var update in client.GetStreamingResponseAsync(question, new ChatOptions { MaxOutputTokens = 60, Seed = 7 }, cancellation))
        {
            await output.WriteAsync(update.Text);
            receipt = AnswerReceipt.In(update.AdditionalProperties) ?? receipt;
        }

        return receipt?.Id.ToString();
    }

    /// <summary>The same promise over another provider: this host saw this request and this answer.</summary>
    public static void RegisterOther(IServiceCollection services, Func<IServiceProvider, IChatClient> other) =>
        services.AddReceiptingChatClient(other, new ReceiptingOptions { Provider = "example" });
}
