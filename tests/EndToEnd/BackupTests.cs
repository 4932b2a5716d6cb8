using System.Collections.Concurrent;
using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>og backup from a host under load, kill -9, og restore, og repair: the disk is lost, what was acknowledged before the backup is not.</summary>
public sealed class BackupTests
{
    [ChainFact]
    public async Task Backup_UnderLoadThenKilledAndRestored_KeepsWhatWasAcknowledgedAndGoesOnAfterARepair()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        using var folder = new TemporaryFolder();
        var (backup, restored) = (folder.At("backup"), folder.At("restored"));
        var acknowledged = new ConcurrentBag<Receipt>();
        Receipt[] before;
        await using (var host = await installation.Serve())
        {
            using var stop = new CancellationTokenSource();
            var callers = Enumerable.Range(0, 3).Select(caller => Call(host, caller, acknowledged, stop.Token)).ToArray();
            await Eventually.Holds("there is load", () => Task.FromResult(acknowledged.Count > 30));
            before = [.. acknowledged];
            (await Og.Run("backup", backup, "--operator-url", host.OperatorUrl)).Expect(Og.Ok);
            Assert.True(acknowledged.Count > before.Length, "there was no load while the backup was taken");
            (await Og.Run("backup", backup, "--operator-url", host.OperatorUrl)).Expect(Og.Unavailable); // not over what is there
            await stop.CancelAsync();
            await Task.WhenAll(callers);
            // The contract goes on without the backup.
            var (model, body) = Inputs.Mixed(1);
            acknowledged.Add((await host.Infer(model, body, "final")).Expect(200).Receipt);
            foreach (var receipt in acknowledged) await host.UntilStage(receipt.Id.ToString(), "final");
            await host.Kill();
        }

        (await Og.Run("restore", backup, restored)).Expect(Og.Ok);
        (await Og.Run("restore", backup, restored)).Expect(Og.Failed);
        await using (var host = await installation.Serve($"data={restored}"))
        {
            foreach (var receipt in before) Assert.NotNull(await host.StageOf(receipt.Id.ToString()));
            await host.UntilCondition("LogRolledBack");
            await host.Kill();
        }

        (await Og.Run("repair", "--config", installation.Config, "--set", $"data={restored}", "--from", Path.Combine(installation.Root, "log"))).Expect(Og.Ok);
        await using var last = await installation.Serve($"data={restored}");
        foreach (var receipt in acknowledged) (await last.Submit(receipt)).Expect(200);
        var (next, input) = Inputs.Mixed(2);
        (await last.Infer(next, input, "final")).Expect(200); // its anchor proves what came back
        foreach (var receipt in acknowledged) await last.UntilStage(receipt.Id.ToString(), "final");
        await last.UntilCondition("ok"); // a node that was slow for a moment is named for one look
        foreach (var receipt in acknowledged) Assert.Empty(await Verifier.Check(await last.Bundle(receipt), installation.TrustPolicy, installation.Chain.Rpc));
    }

    private static async Task Call(ServingHost host, int caller, ConcurrentBag<Receipt> acknowledged, CancellationToken stop)
    {
        for (var call = caller; !stop.IsCancellationRequested; call += 3)
        {
            var (model, body) = Inputs.Mixed(call);
            acknowledged.Add((await host.Infer(model, body, "durable")).Expect(200).Receipt);
        }
    }
}
