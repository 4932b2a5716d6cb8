using System.Text.Json;
using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>Witness, bundle and audit as a relying party uses them: real processes, the published log over HTTP.</summary>
public sealed class CustodyTests : IDisposable
{
    private const string Name = "witness.example/w1";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [ChainFact]
    public async Task WitnessedHost_ReceiptBundleAndAudit_HoldAndATornByteIsNamed()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        var vkey = (await Og.Run("witness", "key", "--data", _folder.At("witness"), "--name", Name)).Expect(Og.Ok).Output.Trim();
        var url = $"http://127.0.0.1:{Ports.Free()}/";
        await using var host = await installation.Serve($$"""log.witnesses=[{"key":"{{vkey}}","url":"{{url}}"}]""");
        var log = (await host.Get("v1/log")).Expect(200).Json;
        var logKey = log.GetProperty("verifierKey").GetString()!;
        Assert.Equal(installation.LogId.ToString(), log.GetProperty("id").GetString());

        // The witness comes later than the host: what was signed before is cosigned then.
        File.WriteAllText(_folder.At("logs"), $"# the logs of this witness\nlog {logKey}\n");
        await using var witness = await Child.Start(Repository.Og, ["witness", "run", "--data", _folder.At("witness"), "--name", Name, "--logs", _folder.At("logs"), "--listen", url]);
        var file = _folder.At("three.ogb");
        (await Og.Run("infer", "digits", "--url", host.Url, "--input", Repository.HeldBackDigits, "--item", "3", "--wait", "final", "--timeout", Og.Patience, "--receipt", file)).Expect(Og.Ok);
        await Eventually.Holds("the witness has cosigned", async () => (await host.Get("v1/log")).Expect(200).Json.GetProperty("witnesses")[0].GetProperty("size").GetInt64() > 0);

        var bundled = _folder.At("audited.ogb");
        Assert.Contains(Name, (await Og.Run("bundle", file, "--url", host.Url, "--output", bundled)).Expect(Og.Ok).Output);
        var trust = installation.TrustBut("witnessed", trust => trust with { Witnesses = [vkey], WitnessQuorum = 1 });
        (await Og.Run("verify", bundled, "--trust", trust)).Expect(Og.Ok);
        Assert.Contains("offline", (await Og.Run("verify", bundled, "--trust", trust, "--offline")).Expect(Og.Ok).Output);
        Assert.Contains("cosignatures", (await Og.Run("receipt", "show", bundled)).Expect(Og.Ok).Output);
        var stranger = installation.TrustBut("stranger", trust => trust with { Witnesses = [vkey, "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"], WitnessQuorum = 2 });
        Assert.Contains("witness-quorum-missed", (await Og.Run("verify", bundled, "--trust", stranger)).Expect(Og.Failed).Output);

        // A later anchor proves the old receipt by inclusion and consistency.
        (await Og.Run("infer", "digits", "--url", host.Url, "--input", Repository.HeldBackDigits, "--item", "4", "--wait", "final", "--timeout", Og.Patience, "--receipt", _folder.At("four.ogb"))).Expect(Og.Ok);
        (await Og.Run("bundle", bundled, "--url", host.Url, "--output", _folder.At("newest.ogb"), "--size", "newest")).Expect(Og.Ok);
        var newest = ReceiptBundle.Decode(File.ReadAllBytes(_folder.At("newest.ogb")));
        Assert.NotNull(newest.Consistency);
        (await Og.Run("verify", _folder.At("newest.ogb"), "--trust", installation.Trust)).Expect(Og.Ok);
        var id = newest.Receipt.Id.ToString();
        var proof = (await host.Get($"v1/receipts/{id}/proof?size={newest.Checkpoint!.Size}")).Expect(200).Json;
        Assert.Equal(newest.Checkpoint.Size, proof.GetProperty("consistency").GetProperty("to").GetUInt64());
        Assert.Equal(404, (await host.Get($"v1/receipts/{id}/proof?size=99999")).Code);
        Assert.Equal(400, (await host.Get($"v1/receipts/{id}/proof?size=x")).Code);

        // A second witness follows the published files alone.
        File.WriteAllText(_folder.At("followed"), $"log {logKey} {host.Url}log/\n");
        Assert.Contains("cosigned size", (await Og.Run("witness", "run", "--data", _folder.At("second"), "--name", "witness.example/w2", "--logs", _folder.At("followed"), "--once")).Expect(Og.Ok).Output);

        // The folder while the host works in it, and the log from afar.
        var audit = await Og.Run("audit", "--data", installation.Root, "--trust", trust, "--json");
        using (var report = JsonDocument.Parse(audit.Expect(Og.Ok).Output))
        {
            Assert.True(report.RootElement.GetProperty("holds").GetBoolean());
            Assert.True(report.RootElement.GetProperty("anchors").GetInt64() >= 2);
        }

        Assert.Contains("everything holds", (await Og.Run("audit", "--url", host.Url, "--trust", trust, "--witness", url)).Expect(Og.Ok).Output);
        (await Og.Run("audit", "--data", installation.Root, "--url", host.Url)).Expect(Og.Usage);

        var tile = Directory.GetFiles(Path.Combine(installation.Root, "log", "tile", "0"), "*", SearchOption.AllDirectories).Order().Last();
        var bytes = File.ReadAllBytes(tile);
        bytes[5] ^= 0x10;
        File.WriteAllBytes(tile, bytes);
        var wrong = await Og.Run("audit", "--data", installation.Root);
        Assert.Contains($"WRONG    {tile}, offset 5: ", wrong.Expect(Og.Failed).Output);
    }
}
