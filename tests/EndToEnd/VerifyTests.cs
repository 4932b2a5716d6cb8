using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Trust;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>One final receipt, and everything that must not pass for it.</summary>
public sealed class VerifyTests(FinalReceipt final) : IClassFixture<FinalReceipt>
{
    private const string OtherHash = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    [ChainFact]
    public async Task Bundle_AnyByteChanged_IsRejectedWithAReason()
    {
        var (installation, bundle) = (final.Line.Installation, final.Bundle);
        Assert.Empty(await Verifier.Check(bundle, installation.TrustPolicy, installation.Chain.Rpc));
        var accepted = new List<string>();
        for (var at = 0; at < bundle.Length; at++)
        {
            foreach (byte pattern in new byte[] { 0x01, 0x80 })
            {
                var changed = bundle.ToArray();
                changed[at] ^= pattern;
                var failures = await Verifier.Check(changed, installation.TrustPolicy, installation.Chain.Rpc);
                if (failures.Count == 0 || failures.Any(failure => failure.Detail.Length == 0)) accepted.Add($"byte {at} ^ {pattern:x2}");
            }
        }

        Assert.Empty(accepted);
    }

    [ChainFact]
    public async Task Bundle_TruncatedOrExtended_IsRejected()
    {
        var (installation, bundle) = (final.Line.Installation, final.Bundle);
        for (var length = 0; length < bundle.Length; length += 7)
            Assert.NotEmpty(await Verifier.Check(bundle[..length], installation.TrustPolicy, installation.Chain.Rpc));
        byte[][] tails = [[0], [0xff], new byte[64], bundle];
        foreach (var tail in tails) Assert.NotEmpty(await Verifier.Check([.. bundle, .. tail], installation.TrustPolicy, installation.Chain.Rpc));
    }

    [ChainFact]
    public async Task Cli_ChangedFile_PrintsTheReasonAndExitsOne()
    {
        using var folder = new TemporaryFolder();
        var random = new Random(20);
        var changes = new List<(string Name, byte[] Bytes)>
        {
            ("empty", []),
            ("cut", final.Bundle[..^1]),
            ("longer", [.. final.Bundle, 0]),
            ("noise", [.. Enumerable.Range(0, 500).Select(_ => (byte)random.Next(256))]),
        };
        foreach (var at in new[] { 20, 300, final.Bundle.Length / 2, final.Bundle.Length - 40, final.Bundle.Length - 1 })
        {
            var changed = final.Bundle.ToArray();
            changed[at] ^= 0x10;
            changes.Add(($"byte {at}", changed));
        }

        foreach (var (name, bytes) in changes)
        {
            File.WriteAllBytes(folder.At("changed.ogb"), bytes);
            var verify = (await Og.Run("verify", folder.At("changed.ogb"), "--trust", final.Line.Installation.Trust)).Expect(Og.Failed);
            Assert.True(verify.Output.Split('\n')[0].Contains(": ", StringComparison.Ordinal), $"{name}: no reason in '{verify.Output}'");
        }
    }

    [ChainTheory]
    [InlineData("log", "log-not-trusted")]
    [InlineData("contract", "evidence-binds-other-chain")]
    [InlineData("chain", "evidence-binds-other-chain")]
    [InlineData("software", "evidence-kind-not-accepted")]
    [InlineData("root", "evidence-root-not-trusted")]
    [InlineData("build", "evidence-measurement-not-trusted")]
    [InlineData("models", "model-not-trusted")]
    public async Task Cli_TrustFileThatDoesNotNameIt_ExitsOneWithTheReason(string what, string reason)
    {
        var trust = final.Line.Installation.TrustBut(what, file => what switch
        {
            "log" => file with { Logs = [OtherHash] },
            "contract" => file with { Chain = file.Chain with { Contract = "0x00112233445566778899aabbccddeeff00112233" } },
            "chain" => file with { Chain = file.Chain with { Id = 1 } },
            "software" => file with { Evidence = file.Evidence with { Accept = ["nitro"] } },
            "root" => file with { Evidence = file.Evidence with { SoftwareRoots = ["02" + OtherHash] } },
            "build" => file with { Evidence = file.Evidence with { AnyBuild = false, Builds = [OtherHash] } },
            _ => file with { Models = [OtherHash] },
        });
        Assert.Contains(reason + ": ", (await Og.Run("verify", final.File, "--trust", trust)).Expect(Og.Failed).Output);
    }

    [ChainFact]
    public async Task Cli_TrustFileThatNamesModelAndBuild_Accepts()
    {
        var bundle = ReceiptBundle.Decode(final.Bundle);
        var model = Statement.Decode(bundle.Receipt.Statement.Span).Context.ModelIdentity.ToString();
        var build = EpochBinding.Decode(bundle.Evidence!.Binding.Span).BuildDigest.ToString();
        var trust = final.Line.Installation.TrustBut("named", file => file with { Models = [model], Evidence = file.Evidence with { AnyBuild = false, Builds = [build] } });
        (await Og.Run("verify", final.File, "--trust", trust)).Expect(Og.Ok);
    }

    [ChainFact]
    public async Task Cli_NodeThatIsAbsentOrAnother_ExitsOneWithTheReason()
    {
        var absent = await Og.Run("verify", final.File, "--trust", final.Line.Installation.Trust, "--rpc", $"http://127.0.0.1:{Ports.Free()}/");
        Assert.Contains("chain-unreachable: ", absent.Expect(Og.Failed).Output);

        await using var otherChain = await Anvil.Start(chainId: 999);
        var wrong = await Og.Run("verify", final.File, "--trust", final.Line.Installation.Trust, "--rpc", otherChain.Url);
        Assert.Contains("chain-id-mismatch: ", wrong.Expect(Og.Failed).Output);

        // The same chain id, but a chain that never saw the anchor.
        await using var twin = await Anvil.Start();
        var unknown = await Og.Run("verify", final.File, "--trust", final.Line.Installation.Trust, "--rpc", twin.Url);
        Assert.Contains("anchor-not-found: ", unknown.Expect(Og.Failed).Output);
    }

    [ChainFact]
    public async Task Cli_TrustFileWithoutNode_AsksForOne()
    {
        var trust = final.Line.Installation.TrustBut("no-rpc", file => file with { Chain = file.Chain with { Rpc = null } });
        Assert.Contains("--rpc", (await Og.Run("verify", final.File, "--trust", trust)).Expect(Og.Usage).Error);
        (await Og.Run("verify", final.File, "--trust", trust, "--rpc", final.Line.Installation.Chain.Url)).Expect(Og.Ok);
    }

    [ChainFact]
    public async Task Cli_TrustFileThatIsUnusable_IsNamed()
    {
        using var folder = new TemporaryFolder();
        foreach (var text in new[] { "", "{", "[]", "{}", "{\"version\":1,\"surprise\":true}", File.ReadAllText(final.Line.Installation.Trust).Replace("\"version\": 1", "\"version\": 2", StringComparison.Ordinal) })
        {
            var verify = await Og.Run("verify", final.File, "--trust", folder.Write("trust.json", text));
            Assert.Contains("trust.json", verify.Expect(Og.Usage).Error);
        }

        Assert.Contains("absent.json", (await Og.Run("verify", final.File, "--trust", folder.At("absent.json"))).Expect(Og.Usage).Error);
        Assert.Contains("absent.ogb", (await Og.Run("verify", folder.At("absent.ogb"), "--trust", final.Line.Installation.Trust)).Expect(Og.Usage).Error);
    }

    [ChainFact]
    public async Task Receipts_OfTwoInstallations_AreNotAcceptedForOneAnother()
    {
        using var other = await Installation.Create(await Anvil.Shared);
        var verify = await Og.Run("verify", final.File, "--trust", other.Trust);
        Assert.Contains("log-not-trusted: ", verify.Expect(Og.Failed).Output);
    }
}

/// <summary>A final receipt of one caller among several in its batch, so that no path in it is empty.</summary>
public sealed class FinalReceipt : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    public Line Line { get; } = new();

    internal byte[] Bundle { get; private set; } = [];

    internal string File => _folder.At("final.ogb");

    public async Task InitializeAsync()
    {
        await Line.InitializeAsync();
        if (Anvil.Binary is null) return;
        // A leaf before it, or the tree it is proven in could be it alone, whose path is empty.
        (await Line.Host.Infer("digits", Inputs.Digit(0), "durable")).Expect(200);
        Receipt? chosen = null;
        await Eventually.Holds("several callers share a batch", async () =>
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 32).Select(index => Line.Host.Infer("digits", Inputs.Digit(index))));
            chosen = answers.Select(answer => answer.Expect(200).Receipt).FirstOrDefault(receipt => receipt.Path.Length > 0);
            return chosen is not null;
        });
        await Line.Host.UntilStage(chosen!.Id.ToString(), "final");
        Bundle = await Line.Host.Bundle(chosen);
        Assert.NotEmpty(ReceiptBundle.Decode(Bundle).Inclusion!.Path);
        System.IO.File.WriteAllBytes(File, Bundle);
    }

    public async Task DisposeAsync()
    {
        await Line.DisposeAsync();
        _folder.Dispose();
    }
}
