using System.Text.RegularExpressions;
using OpenGradient.Engine.EndToEnd.Tests.Running;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>What <c>og</c> says of itself.</summary>
public sealed class CommandTests
{
    [Theory]
    [InlineData("serve", "--config --set --roles")]
    [InlineData("infer", "model --input --item --wait --receipt --output --local --url --api-key-file --config --set --timeout")]
    [InlineData("submit", "receipt --url --api-key-file")]
    [InlineData("verify", "receipt --trust --rpc --offline --at")]
    [InlineData("attest", "--attester --nonce --out --tpm --software-root --library --json")]
    [InlineData("audit", "--data --url --trust --rpc --no-chain --witness --output --json --at")]
    [InlineData("evidence inspect", "file --kind")]
    [InlineData("evidence verify", "file --policy --at --nonce --any-nonce --report-data --collateral --history --nonces --kind --json")]
    [InlineData("chat", "model prompt --system --max-tokens --temperature --seed --stop --wait --receipt --save --url --api-key-file --timeout")]
    [InlineData("generate", "model prompt --max-tokens --temperature --seed --stop --wait --receipt --save --url --api-key-file --timeout")]
    [InlineData("replay", "receipt --input --item --model --output --tolerance --trust --rpc --library --torch-library --generation --prompt-file --kernels --json")]
    [InlineData("receipt show", "receipt")]
    [InlineData("demo", "--input --chat --receipts --url --api-key-file --timeout")]
    [InlineData("doctor", "--config --set")]
    [InlineData("init", "--development --data --rpc --models --contract-artifact --contract --attester --tpm --collateral")]
    [InlineData("config check", "--config --set")]
    [InlineData("rotate", "--operator-url")]
    public async Task Help_OfEveryCommand_NamesEachOptionAndSaysWhatItIsFor(string command, string expected)
    {
        var help = (await Og.Run([.. command.Split(' '), "--help"])).Expect(Og.Ok).Output;
        foreach (var name in expected.Split(' ')) Assert.Matches($@"(?m)^\s+(-\w, )?<?{Regex.Escape(name)}\b.*\S\s+\S", help);
        var offered = Regex.Matches(help, @"(?m)^  (--[a-z-]+)").Select(match => match.Groups[1].Value);
        Assert.All(offered, option => Assert.Contains(option, expected.Split(' ')));
    }

    [Fact]
    public async Task Help_OfTheRoot_NamesEveryCommand()
    {
        var help = (await Og.Run("--help")).Expect(Og.Ok).Output;
        foreach (var command in new[] { "serve", "infer", "chat", "generate", "submit", "verify", "attest", "evidence", "replay", "receipt", "demo", "doctor", "init", "config" }) Assert.Matches($@"(?m)^  {command}\b.*\S", help);
    }

    [Fact]
    public async Task CommandLine_Unknown_IsRefusedByName()
    {
        var command = await Og.Run("surprise");
        Assert.NotEqual(Og.Ok, command.ExitCode);
        Assert.Contains("surprise", command.Output + command.Error);
        var wait = await Og.Run("infer", "digits", "--input", "x.json", "--wait", "someday");
        Assert.NotEqual(Og.Ok, wait.ExitCode);
        Assert.Contains("someday", wait.Output + wait.Error);
    }

    [Fact]
    public async Task Doctor_OnThisMachine_NamesLibrariesAndWhatTheyCanDo()
    {
        var doctor = (await Og.Run("doctor")).Expect(Og.Ok).Output;
        Assert.Matches(@"onnx runtime\s+\d+\.\d+\.\d+ from /.*libonnxruntime\.so", doctor);
        Assert.Matches(@"sha-256\s+[0-9a-f]{64}", doctor);
        Assert.Matches(@"providers\s+.*CPUExecutionProvider", doctor);
        Assert.Matches(@"instruction set\s+\S+", doctor);
        Assert.Matches(@"telemetry\s+switched off", doctor);
        Assert.Matches(@"attestation shim\s+\S+ from /.*libog_attest\.so", doctor);
        Assert.Matches(@"build digest\s+[0-9a-f]{64}", doctor);
        Assert.Matches(@"kernels\s+\S+ from /.*libog_kernels\.so", doctor);
        Assert.Matches(@"instruction set\s+(scalar|avx2|avx512|amx)", doctor);
        foreach (var scheme in new[] { "bf16", "int8", "int4" }) Assert.Matches($@"{scheme}\s+numerics \S+", doctor);
        Assert.Matches(@"software\s+available: development only", doctor);
        foreach (var kind in new[] { "nitro", "sev-snp", "tdx", "tpm" }) Assert.Matches($@"{kind}\s+(not )?available: \S", doctor);
    }

    [Fact]
    public async Task Doctor_WithoutLibraries_SaysWhatIsMissingAndWhereItLooked()
    {
        var doctor = await Og.Run("doctor", "--set", "onnxRuntime.library=/nonexistent/ort.so", "--set", "attestation.library=/nonexistent/shim.so");
        Assert.Matches(@"onnx runtime\s+MISSING: .*/nonexistent/ort\.so", doctor.Expect(Og.Failed).Output);
        Assert.Matches(@"attestation shim\s+MISSING: .*/nonexistent/shim\.so", doctor.Output);
    }

    [ChainFact]
    public async Task Doctor_WithAChain_NamesItAndSaysWhenItIsWrong()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        var sound = (await Og.Run("doctor", "--config", installation.Config)).Expect(Og.Ok).Output;
        Assert.Matches(@"chain\s+http\S+ id 31337, block \d+", sound);
        Assert.Matches($@"contract\s+{installation.TrustPolicy.Contract}", sound);
        Assert.Matches(@"finality\s+depth 3", sound);

        Assert.Contains("WRONG", (await Og.Run("doctor", "--config", installation.Config, "--set", "chain.id=5")).Expect(Og.Failed).Output);
        Assert.Contains("MISSING", (await Og.Run("doctor", "--config", installation.Config, "--set", "chain.contract=0x00112233445566778899aabbccddeeff00112233")).Expect(Og.Failed).Output);
        Assert.Matches(@"chain\s+http\S+ \S+", (await Og.Run("doctor", "--config", installation.Config, "--set", $"chain.rpc=http://127.0.0.1:{Ports.Free()}/")).Expect(Og.Failed).Output);
    }

    [Fact]
    public async Task Commands_WithoutAHost_SayThatItCannotBeReached()
    {
        var url = $"http://127.0.0.1:{Ports.Free()}/";
        Assert.Contains("cannot be reached", (await Og.Run("infer", "digits", "--url", url, "--input", Repository.HeldBackDigits)).Expect(Og.Unavailable).Error);
        Assert.Contains("cannot be reached", (await Og.Run("demo", "--url", url, "--input", $"digits={Repository.HeldBackDigits}:1")).Expect(Og.Unavailable).Error);
    }

    [Fact]
    public async Task Infer_InputThatIsUnusable_IsNamed()
    {
        using var folder = new TemporaryFolder();
        var url = $"http://127.0.0.1:{Ports.Free()}/";
        foreach (var (text, says) in new[] { ("{", "malformed"), ("3", "neither"), ("[{}]", "no 'request'"), ("[]", "0 entries") })
            Assert.Contains(says, (await Og.Run("infer", "digits", "--url", url, "--input", folder.Write("input.json", text))).Expect(Og.Usage).Error);
        Assert.Contains("absent.json", (await Og.Run("infer", "digits", "--url", url, "--input", folder.At("absent.json"))).Expect(Og.Usage).Error);
        Assert.Contains("--item 360", (await Og.Run("infer", "digits", "--url", url, "--input", Repository.HeldBackDigits, "--item", "360")).Expect(Og.Usage).Error);
    }

    [Fact]
    public async Task Infer_HostWithoutAChain_GivesTheAnswerAndASignedPromise()
    {
        using var folder = new TemporaryFolder();
        var config = folder.Write("og.json", $$"""{ "data": "{{folder.At("data")}}", "models": [{ "path": "{{Path.Combine(Repository.Models, "digits")}}" }] }""");
        var receipt = folder.At("receipt.ogb");
        var infer = (await Og.Run("infer", "digits", "--local", "--config", config, "--input", Repository.HeldBackDigits, "--receipt", receipt)).Expect(Og.Ok).Output;
        Assert.Contains("a signed promise", infer);
        Assert.Contains("digits", (await Og.Run("receipt", "show", receipt)).Expect(Og.Ok).Output);
    }

    [Fact]
    public async Task Bundle_FileThatIsNoReceipt_IsNamed()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("letter.txt", "dear auditor");
        var error = (await Og.Run("bundle", file, "--url", $"http://127.0.0.1:{Ports.Free()}/")).Expect(Og.Usage).Error;
        Assert.Contains("letter.txt", error);
        Assert.Contains("neither a receipt nor a bundle", error);
    }
}
