using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Trust;

namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>A data folder with a contract of its own, made by <c>og init --development</c>.</summary>
internal sealed class Installation : IDisposable
{
    private readonly TemporaryFolder? _owned;

    private Installation(Anvil chain, string root, TemporaryFolder? owned)
    {
        (Chain, Root, _owned) = (chain, root, owned);
        TrustPolicy = Hosting.Trust.TrustFile.Read(Trust).ToPolicy();
    }

    public Anvil Chain { get; }

    public string Root { get; }

    public string Config => Path.Combine(Root, "og.json");

    public string Trust => Path.Combine(Root, "trust.json");

    public TrustPolicy TrustPolicy { get; }

    public Hash256 LogId => TrustPolicy.Logs.Single();

    /// <param name="chain">The node to deploy to.</param>
    /// <param name="folder">Where, instead of a temporary folder.</param>
    /// <param name="contract">A contract to join, instead of one of its own.</param>
    /// <param name="models">The folder of the models to serve, instead of the shipped ONNX ones.</param>
    /// <param name="more">Further options of <c>og init</c>.</param>
    public static async Task<Installation> Create(Anvil chain, string? folder = null, string? contract = null, string? models = null, params string[] more)
    {
        var owned = folder is null ? new TemporaryFolder() : null;
        var root = folder ?? owned!.At("data");
        string[] joining = contract is null ? [] : ["--contract", contract];
        (await Og.Run(["init", "--development", "--data", root, "--rpc", chain.Url, "--models", models ?? Repository.Models, .. joining, .. more])).Expect(Og.Ok);
        return new Installation(chain, root, owned);
    }

    /// <summary>Starts a host in this folder and waits until it serves. Settlement batches close early, so that tests are short.</summary>
    public Task<ServingHost> Serve(params string[] settings) => ServingHost.Start(Config, ["settlement.maxAgeMs=150", "settlement.tickMs=50", .. settings]);

    /// <summary>A trust file beside the real one, with one thing changed.</summary>
    public string TrustBut(string name, Func<TrustFile, TrustFile> change)
    {
        var file = Path.Combine(Root, $"trust-{name}.json");
        File.WriteAllBytes(file, change(TrustFile.Read(Trust)).Encode());
        return file;
    }

    public JsonElement Configuration()
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Config));
        return document.RootElement.Clone();
    }

    public void Dispose() => _owned?.Dispose();
}
