using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>A test of run.sh, which builds what it runs: only where nothing else builds at the same time.</summary>
public sealed class ScriptFactAttribute : FactAttribute
{
    public ScriptFactAttribute() => Skip = ChainFactAttribute.Reason
        ?? (Environment.GetEnvironmentVariable("OG_E2E_SCRIPTS") == "1" ? null : "runs run.sh, which builds: set OG_E2E_SCRIPTS=1 where nothing else builds");
}

/// <summary>The same with libtorch.</summary>
public sealed class TorchScriptFactAttribute : FactAttribute
{
    public TorchScriptFactAttribute() => Skip = new ScriptFactAttribute().Skip ?? Libtorch.Missing;
}

public sealed class ScriptTests : IDisposable
{
    // The script looks through the whole solution before it starts.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(15);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [ScriptFact]
    public async Task Run_OnceTwiceOverOneFolder_ExitsZeroBothTimesAndLeavesNothingRunning()
    {
        foreach (var setup in new[] { "", "skip" })
        {
            await using var run = await Start(setup, "--once");
            Assert.True(await run.Exit(Limit) == 0, run.Output + run.Error);
            Assert.Contains("every receipt is final", run.Output);
            Assert.Contains("NOT trusted", File.ReadAllText(_folder.At("data", "og.log")));
            await NothingRuns();
        }

        // The receipts of both runs verify against the chain's state as the script left it, once a node serves that state again.
        var bundles = Directory.GetFiles(_folder.At("data", "receipts"), "*.ogb");
        // Digits, sentences, and one chat.
        Assert.Equal(2 * (32 + Inputs.Sentences.Count + 1), bundles.Length);
        await using var chain = await Anvil.Start(state: _folder.At("data", "chain", "state.json"));
        foreach (var bundle in bundles.Take(3).Append(bundles[^1]))
            (await Og.Run("verify", bundle, "--trust", _folder.At("data", "trust.json"), "--rpc", chain.Url)).Expect(Og.Ok);
    }

    [TorchScriptFact]
    public async Task Run_TorchBackendOnce_LeavesFinalReceiptsOfLibtorchThatVerify()
    {
        await using var run = await Start("skip", "--once", "--backend", "torch");
        Assert.True(await run.Exit(Limit) == 0, run.Output + run.Error);
        await NothingRuns();
        var bundles = Directory.GetFiles(_folder.At("data", "receipts"), "*.ogb");
        Assert.Equal(32 + Inputs.Sentences.Count, bundles.Length);
        await using var chain = await Anvil.Start(state: _folder.At("data", "chain", "state.json"));
        foreach (var bundle in bundles)
        {
            var receipt = ReceiptBundle.Decode(await File.ReadAllBytesAsync(bundle)).Receipt;
            Assert.Equal("libtorch", Statement.Decode(receipt.Statement.Span).Context.Runtime.Backend);
        }

        foreach (var bundle in bundles.Take(3).Append(bundles[^1]))
            (await Og.Run("verify", bundle, "--trust", _folder.At("data", "trust.json"), "--rpc", chain.Url)).Expect(Og.Ok);
    }

    [ScriptFact]
    public async Task Run_Interrupted_LeavesNothingRunning()
    {
        await using var run = await Start("skip");
        await UpAndRunning(run);
        run.Signal(Child.SigInt);
        Assert.Equal(130, await run.Exit());
        await NothingRuns();
    }

    [ScriptFact]
    public async Task Run_Killed_LeavesNothingRunning()
    {
        await using var run = await Start("skip");
        await UpAndRunning(run);
        run.Signal(9);
        await run.Exit();
        await NothingRuns();
    }

    private async Task UpAndRunning(Child run)
    {
        var deadline = System.Diagnostics.Stopwatch.StartNew();
        while (!run.Output.Contains("The engine stays up", StringComparison.Ordinal))
        {
            Assert.False(run.HasExited || deadline.Elapsed > Limit, run.Output + run.Error);
            await Task.Delay(100);
        }

        Assert.NotEmpty(Running());
    }

    // By env, so that an interrupt is not ignored where the tests themselves run in the background. One test sees setup through: a look at the whole solution.
    private Task<Child> Start(string setup, params string[] arguments) => Child.Start("env", ["--default-signal=INT", Repository.At("run.sh"), .. arguments],
        new Dictionary<string, string?> { ["OG_DATA"] = _folder.At("data"), ["OG_HTTP_PORT"] = $"{Ports.Pair()}", ["OG_SETUP"] = setup });

    private Task NothingRuns() => Eventually.Holds("nothing that the script started runs", () => Task.FromResult(Running().Count == 0));

    // Everything the script starts is told of its data folder.
    private List<string> Running() =>
    [
        .. from process in Directory.GetDirectories("/proc")
           where int.TryParse(Path.GetFileName(process), out _)
           let command = CommandLine(process)
           where command.Contains(_folder.At("data"), StringComparison.Ordinal)
           select command,
    ];

    private static string CommandLine(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' ');
        }
        catch (IOException)
        {
            return "";
        }
    }
}
