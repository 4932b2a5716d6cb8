using System.Text.Json;
using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>A host that serves through rotations of its key: whatever was answered before, meanwhile and afterwards becomes final and verifies.</summary>
public sealed class RotationTests
{
    [ChainFact]
    public async Task Rotate_WhileCallersAreAnswered_EveryReceiptBecomesFinalAndVerifies()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        var receipts = new List<Receipt>();
        Hash256 old;
        await using (var host = await installation.Serve("attestation.rotation.overlapSeconds=3600"))
        {
            receipts.Add((await host.Infer("digits", Inputs.Digit(0), "final")).Expect(200).Receipt);
            old = Hash256.Parse(Epoch(await host.Overview()).GetProperty("id").GetString()!);
            Assert.Equal(1, Epoch(await host.Overview()).GetProperty("number").GetInt64());

            var calls = Enumerable.Range(0, 40).Select(index => host.Infer("digits", Inputs.Digit(index))).ToArray();
            var rotated = (await Og.Run("rotate", "--operator-url", host.OperatorUrl)).Expect(Og.Ok);
            Assert.Contains("epoch 2 signs", rotated.Output, StringComparison.Ordinal);
            foreach (var answer in await Task.WhenAll(calls)) receipts.Add(answer.Expect(200).Receipt);
            var refused = (await Og.Run("rotate", "--operator-url", host.OperatorUrl)).Expect(Og.Unavailable);
            Assert.Contains("after the last", refused.Error, StringComparison.Ordinal);

            var overview = Epoch(await host.Overview());
            Assert.Equal((2L, 1L, old.ToString()), (overview.GetProperty("number").GetInt64(), overview.GetProperty("rotations").GetInt64(), overview.GetProperty("retiring").GetProperty("id").GetString()));
            receipts.Add((await host.Infer("digits", Inputs.Digit(1), "final")).Expect(200).Receipt);
            var metrics = await MetricsText.Of(host);
            Assert.Equal((1, 2, 1), (metrics.Sum("og_epoch_rotations_total", "reason=\"asked\""), metrics.Sum("og_epoch_number"), metrics.Sum("og_epoch_retiring")));
            Assert.Equal(old, Evidence.Decode((await host.Get($"v1/evidence/{old}")).Expect(200).Body).Epoch);
            Assert.Equal(2, EpochsOf(receipts).Length);
            await AllVerify(installation, host, receipts);
        }

        // And where the old key is zeroed, and where the host dies right behind a rotation.
        await using (var host = await installation.Serve("attestation.rotation.overlapSeconds=1"))
        {
            (await Og.Run("rotate", "--operator-url", host.OperatorUrl)).Expect(Og.Ok);
            await Eventually.Holds("the old key is zeroed", async () => !Epoch(await host.Overview()).TryGetProperty("retiring", out _));
            receipts.Add((await host.Infer("digits", Inputs.Digit(2), "final")).Expect(200).Receipt);
            (await host.Http.PostAsync(host.OperatorUrl + "v1/rotate", null)).EnsureSuccessStatusCode();
            receipts.Add((await host.Infer("digits", Inputs.Digit(3), "durable")).Expect(200).Receipt);
            await host.Kill();
        }

        await using var last = await installation.Serve();
        Assert.Equal(6, Epoch(await last.Overview()).GetProperty("number").GetInt64());
        await AllVerify(installation, last, receipts);
        await Audit.Run(installation, receipts);
        (await Og.Run("audit", "--data", installation.Root, "--trust", installation.Trust)).Expect(Og.Ok);
    }

    [ChainFact]
    public async Task Rotation_AfterSoManyStatements_HappensByItself()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        await using var host = await installation.Serve("attestation.rotation.afterStatements=3", "attestation.rotation.overlapSeconds=1");
        var receipts = new List<Receipt>();
        await Eventually.Holds("two rotations", async () =>
        {
            for (var i = 0; i < 4; i++) receipts.Add((await host.Infer("digits", Inputs.Digit(i))).Expect(200).Receipt);
            return (await MetricsText.Of(host)).Sum("og_epoch_rotations_total", "reason=\"statements\"") >= 2;
        });
        receipts.Add((await host.Infer("digits", Inputs.Digit(5), "final")).Expect(200).Receipt);
        Assert.True(EpochsOf(receipts).Length >= 3);
        await Eventually.Holds("the rotations are printed", () => Task.FromResult(host.Printed.Contains("(statements)", StringComparison.Ordinal)));
        var ofEach = receipts.GroupBy(receipt => Statement.Decode(receipt.Statement.Span).Epoch).SelectMany(group => new[] { group.First(), group.Last() }).Distinct().ToArray();
        await AllVerify(installation, host, ofEach);
        await Audit.Run(installation, receipts);
    }

    private static JsonElement Epoch(JsonElement overview) => overview.GetProperty("epoch");

    private static Hash256[] EpochsOf(IEnumerable<Receipt> receipts) => [.. receipts.Select(receipt => Statement.Decode(receipt.Statement.Span).Epoch).Distinct()];

    private static async Task AllVerify(Installation installation, ServingHost host, IReadOnlyCollection<Receipt> receipts)
    {
        foreach (var receipt in receipts)
        {
            await host.UntilStage(receipt.Id.ToString(), "final");
            Assert.Empty(await Verifier.Check(await host.Bundle(receipt), installation.TrustPolicy, installation.Chain.Rpc));
        }
    }
}
