using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using OpenGradient.Engine.Hosting.Chat;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.Hosting.Tests.Chat;

public sealed class ChatDocumentationTests
{
    [Fact]
    public void Documentation_Example_IsTheOneThatIsCompiled()
    {
        var page = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs/language-models/dotnet.md"));

        Assert.Contains(File.ReadAllText(Path.Combine(RepositoryRoot.Path, "tests/Hosting/Chat/ChatExample.cs")).TrimEnd(), page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Example_Told_WritesTheAnswerAndNamesTheReceipt()
    {
        var generator = new ScriptedGenerator("And it ", "came to pass.") { Sealer = new ReferenceSealer() };
        using var client = new ProvenChatClient(generator, ScriptedGenerator.Parts, TimeProvider.System);
        var output = new StringWriter();

        var id = await Example.ChatExample.Tell(client, "What?", output, default);

        Assert.Equal("And it came to pass.", output.ToString());
        Assert.Equal(generator.Sealer.Batches[^1].ReceiptId(0).ToString(), id);
        Assert.Equal((7UL, 60), (generator.Request!.Sampling.Seed!.Value, generator.Request.MaxTokens!.Value));
    }

    [Fact]
    public async Task Example_Registered_ResolvesBeforeTheHostHasStarted()
    {
        using var folder = new Scratch();
        var configuration = new HostConfiguration { Data = folder.Path, Models = [] };
        var services = new ServiceCollection();
        Example.ChatExample.Register(services, configuration);
        await using var provider = services.BuildServiceProvider();

        var client = provider.GetRequiredService<IChatClient>();

        Assert.IsType<ProvenChatClient>(client);
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.GetResponseAsync("too early"));
    }

    private sealed class Scratch : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("og-chat-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
