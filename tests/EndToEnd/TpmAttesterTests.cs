using System.Text.Json;
using System.Text.Json.Nodes;
using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>A host whose epochs a TPM vouches for, from the first answer to what others make of its receipts. The TPM is a program.</summary>
public sealed class TpmAttesterTests
{
    [SoftwareTpmFact]
    public async Task Receipts_OfAHostWithATpm_VerifyByItsPolicyAndByNoOther()
    {
        await using var tpm = await SoftwareTpm.Start();
        using var installation = await Installation.Create(await Anvil.Shared, more: ["--attester", "tpm", "--tpm", tpm.Name, "--collateral", tpm.Collateral]);
        var first = await Serve(installation, 0);
        Assert.Equal(EvidenceKind.Tpm, ReceiptBundle.Decode(first).Evidence!.Kind);
        var file = Path.Combine(installation.Root, "first.ogb");
        File.WriteAllBytes(file, first);
        var holds = (await Og.Run("verify", file, "--trust", installation.Trust)).Expect(Og.Ok).Output;
        Assert.DoesNotContain("software", holds);

        // The next start is another epoch; what the first signed stays good, here and for others.
        var second = await Serve(installation, 1);
        Assert.NotEqual(ReceiptBundle.Decode(first).Evidence!.Epoch, ReceiptBundle.Decode(second).Evidence!.Epoch);
        (await Og.Run("verify", file, "--trust", installation.Trust)).Expect(Og.Ok);
        (await Og.Run("audit", "--data", installation.Root)).Expect(Og.Ok);

        await Refused(installation, file, "other-firmware", policy => policy["tpm"]!["registers"]!["7"] = new JsonArray(new string('1', 64)), "evidence-measurement-not-trusted: ");
        await Refused(installation, file, "other-maker", policy => policy["tpm"]!["roots"] = new JsonArray(new string('1', 64)), "evidence-root-not-trusted: ");
        await Refused(installation, file, "other-tpm", policy => policy["tpm"]!["keys"] = new JsonArray("000b" + new string('1', 64)), "evidence-platform-not-accepted: ");
        await Refused(installation, file, "no-reference", policy => policy["tpm"]!["registers"] = new JsonObject(), "evidence-unverifiable: ");
        await Refused(installation, file, "other-kind", policy => policy.Remove("tpm"), "evidence-kind-not-accepted: ");

        var bare = installation.TrustBut("no-policy", trust => trust with { Evidence = trust.Evidence with { Policy = null } });
        Assert.Contains("evidence-unverifiable: ", (await Og.Run("verify", file, "--trust", bare)).Expect(Og.Failed).Output);
        Assert.Contains("evidence-out-of-time: ", (await Og.Run("verify", file, "--trust", installation.Trust, "--at", "1999-01-01T00:00:00Z")).Expect(Og.Failed).Output);
    }

    [SoftwareTpmFact]
    public async Task Rotate_WhileServing_ReceiptsOfBothEpochsVerifyByTheTpmsPolicy()
    {
        await using var tpm = await SoftwareTpm.Start();
        using var installation = await Installation.Create(await Anvil.Shared, more: ["--attester", "tpm", "--tpm", tpm.Name, "--collateral", tpm.Collateral]);
        await using var host = await installation.Serve("attestation.rotation.overlapSeconds=1");
        var before = (await host.Infer("digits", Inputs.Digit(0))).Expect(200).Receipt;
        Assert.Contains("epoch 2 signs", (await Og.Run("rotate", "--operator-url", host.OperatorUrl)).Expect(Og.Ok).Output);
        var after = (await host.Infer("digits", Inputs.Digit(1))).Expect(200).Receipt;

        // Both become final under the new key, the old one being zeroed meanwhile; the TPM made the evidence of both, over another nonce each.
        await Eventually.Holds("the old key is zeroed", async () => !(await host.Overview()).GetProperty("epoch").TryGetProperty("retiring", out _));
        byte[][] bundles = [await Final(host, before), await Final(host, after)];
        Evidence[] evidence = [.. bundles.Select(bundle => ReceiptBundle.Decode(bundle).Evidence!)];
        Assert.All(evidence, made => Assert.Equal(EvidenceKind.Tpm, made.Kind));
        Assert.Equal([EpochOf(before), EpochOf(after)], evidence.Select(made => made.Epoch));
        Assert.NotEqual(evidence[0].Epoch, evidence[1].Epoch);
        Assert.False(evidence[0].Document.Span.SequenceEqual(evidence[1].Document.Span));

        var otherTpm = OtherPolicy(installation, "other-tpm", policy => policy["tpm"]!["keys"] = new JsonArray("000b" + new string('1', 64)));
        for (var i = 0; i < bundles.Length; i++)
        {
            var file = Path.Combine(installation.Root, $"epoch-{i}.ogb");
            File.WriteAllBytes(file, bundles[i]);
            Assert.DoesNotContain("software", (await Og.Run("verify", file, "--trust", installation.Trust)).Expect(Og.Ok).Output);
            Assert.Contains("evidence-platform-not-accepted: ", (await Og.Run("verify", file, "--trust", otherTpm)).Expect(Og.Failed).Output);
        }
    }

    [SoftwareTpmFact]
    public async Task Host_WhoseOwnPolicyNamesAnotherTpm_DoesNotStart()
    {
        await using var tpm = await SoftwareTpm.Start();
        using var installation = await Installation.Create(await Anvil.Shared, more: ["--attester", "tpm", "--tpm", tpm.Name, "--collateral", tpm.Collateral]);
        Assert.Matches(@"(?m)^attester +tpm: accepted by policy [0-9a-f]{64}", (await Og.Run("doctor", "--config", installation.Config)).Expect(Og.Ok).Output);

        Change(Path.Combine(installation.Root, "evidence-policy.json"), policy => policy["tpm"]!["keys"] = new JsonArray("000b" + new string('1', 64)));
        Assert.Matches("(?m)^attester +tpm: refused .*key: ", (await Og.Run("doctor", "--config", installation.Config)).Expect(Og.Failed).Output);
        var refused = (await Og.Run("serve", "--config", installation.Config)).Expect(Og.Usage);
        Assert.Contains("does not accept the evidence of its tpm attester (refused)", refused.Error);

        var absent = (await Og.Run("serve", "--config", installation.Config, "--set", "attestation.tpm=swtpm:path=/nowhere/socket")).Expect(Og.Usage);
        Assert.Contains("the TPM at swtpm:path=/nowhere/socket cannot be opened", absent.Error);
    }

    [SoftwareTpmFact]
    public async Task Attest_ThenVerify_AcceptsTheChallengeThatWasAskedAlone()
    {
        await using var tpm = await SoftwareTpm.Start();
        using var installation = await Installation.Create(await Anvil.Shared, more: ["--attester", "tpm", "--tpm", tpm.Name, "--collateral", tpm.Collateral]);
        var file = Path.Combine(installation.Root, "evidence");
        using (var made = JsonDocument.Parse((await Og.Run("attest", "--attester", "tpm", "--tpm", tpm.Name, "--nonce", "0123", "--out", file, "--json")).Expect(Og.Ok).Output))
            Assert.Equal("0123", made.RootElement.GetProperty("nonce").GetString());
        string[] verify = ["evidence", "verify", file, "--policy", Path.Combine(installation.Root, "evidence-policy.json"), "--collateral", tpm.Collateral, "--at", "now", "--nonce"];
        Assert.StartsWith("accepted at", (await Og.Run([.. verify, "0123"])).Expect(Og.Ok).Output);
        Assert.Contains("\nnonce: ", (await Og.Run([.. verify, "0124"])).Expect(Og.Failed).Output);
        Assert.Contains("tpm, in an envelope", (await Og.Run("evidence", "inspect", file)).Expect(Og.Ok).Output);
    }

    // One final answer's bundle, and what the overview says meanwhile.
    private static async Task<byte[]> Serve(Installation installation, int digit)
    {
        await using var host = await installation.Serve();
        var answer = (await host.Infer("digits", Inputs.Digit(digit), "final")).Expect(200);
        var evidence = (await host.Overview()).GetProperty("evidence");
        Assert.Equal(("tpm", "accepted"), (evidence.GetProperty("kind").GetString(), evidence.GetProperty("status").GetString()));
        Assert.StartsWith("accepted by this host's policy (mock hardware", evidence.GetProperty("verdict").GetString());
        Assert.False(evidence.GetProperty("trusted").GetBoolean());
        Assert.Equal(Hash256.Sha256(File.ReadAllBytes(Path.Combine(installation.Root, "evidence-policy.json"))).ToString(), evidence.GetProperty("policy").GetString());
        Assert.Equal(new string('0', 64), evidence.GetProperty("measurements").GetProperty("pcr7").GetString());
        return await host.Bundle(answer.Receipt);
    }

    private static async Task<byte[]> Final(ServingHost host, Receipt receipt)
    {
        await host.UntilStage(receipt.Id.ToString(), "final");
        return await host.Bundle(receipt);
    }

    private static Hash256 EpochOf(Receipt receipt) => Statement.Decode(receipt.Statement.Span).Epoch;

    private static async Task Refused(Installation installation, string receipt, string name, Action<JsonObject> change, string reason) =>
        Assert.Contains(reason, (await Og.Run("verify", receipt, "--trust", OtherPolicy(installation, name, change))).Expect(Og.Failed).Output);

    // A trust file that names another policy.
    private static string OtherPolicy(Installation installation, string name, Action<JsonObject> change)
    {
        var policy = Path.Combine(installation.Root, $"policy-{name}.json");
        File.Copy(Path.Combine(installation.Root, "evidence-policy.json"), policy);
        Change(policy, change);
        return installation.TrustBut(name, file => file with { Evidence = file.Evidence with { Policy = Hosting.Trust.TrustedEvidence.PolicyNamed(Path.GetFileName(policy)) } });
    }

    private static void Change(string file, Action<JsonObject> change)
    {
        var policy = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        change(policy);
        File.WriteAllText(file, policy.ToJsonString());
    }
}
