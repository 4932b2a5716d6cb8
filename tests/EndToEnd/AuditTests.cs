using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>Audits as an operator and an outsider see them.</summary>
public sealed class AuditTests
{
    [ChainFact]
    public async Task Serve_WithARate_ReproducesExactlyTheRowsThatAnybodyRecomputes()
    {
        var chain = await Anvil.Shared;
        using var installation = await Installation.Create(chain);
        await using var host = await installation.Serve("audit.rate=0.5");
        var ids = new List<(string Id, Receipt Receipt)>();
        for (var i = 0; i < 24; i++)
        {
            var answer = (await host.Infer("digits", Inputs.Digit(i))).Expect(200);
            ids.Add((answer.ReceiptId!, answer.Receipt));
        }

        foreach (var (id, _) in ids) await host.UntilStage(id, "final");
        await Eventually.Holds("every anchor was drawn for, every drawn row concluded and let go", async () =>
        {
            var audit = (await host.Get("v1/audit")).Expect(200).Json;
            var covered = audit.GetProperty("recentDraws").EnumerateArray().Select(draw => draw.GetProperty("size").GetInt64()).DefaultIfEmpty().Max();
            return covered == (await host.Overview()).GetProperty("log").GetProperty("size").GetInt64() && audit.GetProperty("rows").GetProperty("sampled").GetInt64() == 0
                && audit.GetProperty("retention").GetProperty("rows").GetInt32() == 0; // let go behind the record that says so
        });

        var drawn = 0;
        var status = (await host.Get("v1/audit")).Json;
        Assert.Equal(2, status.GetProperty("oneIn").GetInt32());
        Assert.Equal(0.5, status.GetProperty("detection").GetProperty("1").GetDouble());
        Assert.Equal("memory", status.GetProperty("retention").GetProperty("policy").GetString());
        foreach (var (id, receipt) in ids)
        {
            var expected = await IsDue(installation, chain, status, await host.Bundle(receipt));
            var stands = (await host.Get($"v1/receipts/{id}")).Expect(200).Json;
            Assert.Equal("final", stands.GetProperty("stage").GetString());
            Assert.Equal(expected, stands.TryGetProperty("audit", out var annotation));
            if (!expected) continue;
            drawn++;
            Assert.Equal("reproduced", annotation.GetProperty("outcome").GetString());
            Assert.Equal(receipt.Row, annotation.GetProperty("row").GetUInt32());
            Assert.True(annotation.GetProperty("block").GetInt64() > 0);
        }

        // One in two of 24: all or none once in eight million runs.
        Assert.InRange(drawn, 1, 23);
        Assert.Equal(drawn, status.GetProperty("rows").GetProperty("reproduced").GetInt32());
        Assert.Equal(0, status.GetProperty("retention").GetProperty("rows").GetInt32());
        Assert.Equal(2, (await host.Overview()).GetProperty("audit").GetProperty("oneIn").GetInt32());
        var metrics = await MetricsText.Of(host);
        Assert.Equal(drawn, metrics.Sum("og_audit_rows", "outcome=\"reproduced\""));
    }

    [ChainFact]
    public async Task Serve_KilledBetweenAnchorAndAudit_GoesOnWithWhatTheDiskKept()
    {
        await using var chain = await Anvil.Start();
        using var installation = await Installation.Create(chain);
        string[] settings = ["audit.rate=1", "audit.retention=disk"];
        var retained = Path.Combine(installation.Root, "retained");
        string id, erased;
        await using (var host = await installation.Serve(settings))
        {
            // The key is registered: what follows needs a block each at most. And what this row takes on disk, it took before it was audited.
            var registered = (await host.Infer("digits", Inputs.Digit(9), "final")).Expect(200);
            await Annotation(host, registered.ReceiptId!);
            var before = Size(retained);
            await chain.StopMining(); // a row is drawn some blocks behind its anchor: none before the kill
            var answers = new List<Answer>();
            for (var i = 0; i < 3; i++) answers.Add((await host.Infer("digits", Inputs.Digit(i), "verified")).Expect(200));
            (id, erased) = (answers[0].ReceiptId!, answers[1].ReceiptId!);
            using var request = new HttpRequestMessage(HttpMethod.Delete, $"v1/receipts/{erased}/inputs");
            var gone = (await Answer.Of(await host.Http.SendAsync(request))).Expect(200);
            Assert.Equal(1, gone.Json.GetProperty("erased").GetInt32());

            // A look of the audit moves rows in the order of their answers, each in one write: the first is on disk when anything is.
            await Eventually.Holds("the first answer's row is on disk", () => Task.FromResult(Size(retained) > before));
            await Eventually.Holds("both are anchored", async () =>
            {
                if (await chain.Pending() > 0) await chain.Mine();
                return await host.StageOf(id) == "anchored" && await host.StageOf(erased) == "anchored";
            });
            await host.Kill();
        }

        await using var again = await installation.Serve(settings);
        Assert.False((await again.Get($"v1/receipts/{id}")).Json.TryGetProperty("audit", out _));
        await chain.Mine(20);
        Assert.Equal("reproduced", (await Annotation(again, id)).GetProperty("outcome").GetString());
        var lost = await Annotation(again, erased);
        Assert.Equal("notReproducible", lost.GetProperty("outcome").GetString());
        Assert.Contains(lost.GetProperty("reason").GetString(), new[] { "erased", "notRetained" });
    }

    [ChainFact]
    public async Task Serve_RateOfZero_KeepsNothingAndSaysSo()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        await using var host = await installation.Serve("audit.rate=0");
        (await host.Infer("digits", Inputs.Digit(0), "final")).Expect(200);
        var status = (await host.Get("v1/audit")).Expect(200).Json;
        Assert.False(status.GetProperty("on").GetBoolean());
        Assert.Equal("off", status.GetProperty("retention").GetProperty("policy").GetString());
        Assert.Equal(0, status.GetProperty("draws").GetInt32());
    }

    private static long Size(string folder) => new DirectoryInfo(folder).EnumerateFiles().Sum(file => file.Length);

    private static async Task<JsonElement> Annotation(ServingHost host, string id)
    {
        var found = await Eventually.Value<object>(
            $"receipt {id} was audited",
            async () => (await host.Get($"v1/receipts/{id}")).Json.TryGetProperty("audit", out var audit) && audit.GetProperty("outcome").GetString() != "sampled" ? audit : null,
            () => host.Printed);
        return (JsonElement)found;
    }

    // docs/formats.md, "Audit draw", from the holder's bundle and the chain; the host says only which rate it uses.
    private static async Task<bool> IsDue(Installation installation, Anvil chain, JsonElement status, byte[] file)
    {
        var bundle = ReceiptBundle.Decode(file);
        var oneIn = status.GetProperty("oneIn").GetUInt32();
        var number = bundle.Anchor!.BlockNumber + 4;
        var hash = Convert.FromHexString((await chain.Call("eth_getBlockByNumber", $"[\"0x{number:x}\",false]")).GetProperty("hash").GetString()![2..]);
        var checkpoint = bundle.Checkpoint!;
        var seed = SHA256.HashData([.. "OGE audit v1\0\0\0\0"u8, .. installation.LogId.Bytes, .. Big(checkpoint.Size), .. checkpoint.Root.Bytes, .. Big(31337), .. Big(number), .. hash]);
        var draw = BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData([.. seed, .. Big(bundle.Inclusion!.LeafIndex), .. Big(bundle.Receipt.Row)[4..]]));
        return (UInt128)draw * oneIn < (UInt128)1 << 64;
    }

    private static byte[] Big(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes;
    }
}
