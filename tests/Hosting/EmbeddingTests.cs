using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Hosting.Embedding;

namespace OpenGradient.Engine.Hosting.Tests;

public sealed class EmbeddingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("og-embed-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task InferAsync_WithoutChain_AnswersWithASignedPromise()
    {
        await using var services = Services(Configuration());
        await Start(services);
        var engine = services.GetRequiredService<ProvenInference>();

        using var answer = await engine.InferAsync(Request());

        Assert.InRange(answer.Result.Values<long>(answer.Result.IndexOf("label"))[0], 0, 9);
        Assert.Equal(ReceiptStage.Executed, answer.Stage);
        var statement = Statement.Decode(answer.Receipt.Statement.Span);
        Assert.Equal("digits", statement.Context.ModelName);
        Assert.Equal(engine.Host.Epoch.Epoch.Id, statement.Epoch);
        Assert.Equal(statement.RowsRoot, MerkleTree.RootFromPath(answer.Receipt.LeafHash, answer.Receipt.Row, statement.Receipts, answer.Receipt.Path));
        await Assert.ThrowsAsync<InvalidOperationException>(() => answer.WaitForFinalityAsync());
    }

    [Fact]
    public async Task InferAsync_ReleaseWithoutChain_IsRefusedBeforeAnythingIsExecuted()
    {
        await using var services = Services(Configuration());
        await Start(services);
        var engine = services.GetRequiredService<ProvenInference>();

        await Assert.ThrowsAsync<InvalidOperationException>(async () => await engine.InferAsync(Request(), ReleasePolicy.Durable));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await engine.InferAsync(Request(), new ReleaseOptions(ReleasePolicy.Final, TimeSpan.FromSeconds(1))));
        Assert.Equal(0, engine.Host.Engine.Statistics("digits")!.Requests);
        using var answer = await engine.InferAsync(Request(), new ReleaseOptions(ReleasePolicy.Fast, TimeSpan.Zero));
        Assert.Equal(ReleaseStatus.Released, answer.Release);
    }

    [Fact]
    public async Task Receipt_AfterDisposalOfTheAnswer_IsStillThere()
    {
        await using var services = Services(Configuration());
        await Start(services);

        var answer = await services.GetRequiredService<ProvenInference>().InferAsync(Request());
        var before = answer.Receipt.Encode();
        answer.Dispose();

        Assert.Equal(before, answer.Receipt.Encode());
        Assert.Equal(before, answer.Bundle().Receipt.Encode());
    }

    [Fact]
    public async Task InferAsync_UnknownModel_ThrowsTheFailure()
    {
        await using var services = Services(Configuration());
        await Start(services);

        var refused = await Assert.ThrowsAsync<InferenceException>(async () =>
            await services.GetRequiredService<ProvenInference>().InferAsync(new InferenceRequest("nothing")));

        Assert.Equal(InferenceFailureKind.UnknownModel, refused.Failure!.Kind);
    }

    [Fact]
    public async Task Host_BeforeStart_SaysThatItHasNotStarted()
    {
        await using var services = Services(Configuration());

        Assert.Throws<InvalidOperationException>(() => services.GetRequiredService<ProvenInference>().Host);
    }

    [Fact]
    public void AddOpenGradientEngine_UnsoundConfiguration_IsRefusedAtOnce() =>
        Assert.Throws<ConfigurationException>(() => new ServiceCollection().AddOpenGradientEngine(Configuration() with { Data = "" }));

    [Fact]
    public async Task Start_MissingModelFolder_NamesIt()
    {
        await using var services = Services(Configuration() with { Models = [new ModelConfiguration { Path = Path.Combine(_folder, "no-model.onnx") }] });

        var refused = await Assert.ThrowsAsync<ModelLoadException>(() => Start(services));

        Assert.Contains("no-model", refused.Message, StringComparison.Ordinal);
    }

    private static InferenceRequest Request() => new InferenceRequest("digits").Add<float>("pixels", [1, 64], new float[64]);

    private HostConfiguration Configuration() => new()
    {
        Data = Path.Combine(_folder, "data"),
        Models = [new ModelConfiguration { Path = Path.Combine(RepositoryRoot.Path, "models/digits") }],
    };

    private static ServiceProvider Services(HostConfiguration configuration) =>
        new ServiceCollection().AddOpenGradientEngine(configuration).BuildServiceProvider();

    private static async Task Start(ServiceProvider services)
    {
        foreach (var service in services.GetServices<IHostedService>()) await service.StartAsync(CancellationToken.None);
    }
}

internal static class RepositoryRoot
{
    public static string Path { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(System.IO.Path.Combine(folder!.FullName, "OpenGradient.Engine.sln"))) folder = folder.Parent;
        return folder.FullName;
    }
}
