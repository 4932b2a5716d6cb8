using System.Collections.Concurrent;
using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>kill -9 at moments that a seed chooses, while callers are at it: what was acknowledged becomes final, once.</summary>
public sealed class CrashTests
{
    private const int Kills = 6, Callers = 4;

    [ChainFact]
    public async Task Host_KilledAtRandomMoments_LosesNothingAcknowledgedAndAnchorsOnce()
    {
        var random = new Random(2);
        using var installation = await Installation.Create(await Anvil.Shared);
        var (acknowledged, promised) = (new ConcurrentBag<Receipt>(), new ConcurrentBag<Receipt>());
        for (var kill = 0; kill < Kills; kill++)
        {
            await using var host = await installation.Serve();
            using var dead = new CancellationTokenSource();
            var callers = Enumerable.Range(0, Callers).Select(caller => Call(host, caller, acknowledged, promised, dead.Token)).ToArray();
            // A slow machine may answer nobody before any kill: the first waits for one answer of either kind.
            if (kill == 0) await Eventually.Holds("callers are answered", () => Task.FromResult(!acknowledged.IsEmpty && !promised.IsEmpty));
            await Task.Delay(random.Next(50, 900));
            await host.Kill();
            await dead.CancelAsync();
            await Task.WhenAll(callers);
        }

        Assert.NotEmpty(acknowledged);
        Assert.NotEmpty(promised);
        await using var last = await installation.Serve();
        foreach (var receipt in acknowledged)
            Assert.True(await last.StageOf(receipt.Id.ToString()) is "durable" or "verified" or "anchored" or "final", $"acknowledged receipt {receipt.Id} is lost");
        foreach (var receipt in promised) (await last.Submit(receipt)).Expect(200);

        Receipt[] all = [.. acknowledged, .. promised];
        foreach (var receipt in all) await last.UntilStage(receipt.Id.ToString(), "final");
        await Audit.Run(installation, all);
        foreach (var receipt in all.Chunk(Math.Max(1, all.Length / 20)).Select(chunk => chunk[0]))
            Assert.Empty(await Verifier.Check(await last.Bundle(receipt), installation.TrustPolicy, installation.Chain.Rpc));
        await last.UntilCondition("ok"); // a node that was slow for a moment is named for one look
        Assert.Equal(0, (await last.Overview()).GetProperty("stages").GetProperty("quarantined").GetInt64());
    }

    private static async Task Call(ServingHost host, int caller, ConcurrentBag<Receipt> acknowledged, ConcurrentBag<Receipt> promised, CancellationToken dead)
    {
        for (var call = caller; !dead.IsCancellationRequested; call += Callers)
        {
            try
            {
                var (model, body) = Inputs.Mixed(call);
                var fast = call % 3 == 0;
                var answer = (await host.Infer(model, body, fast ? null : call % 5 == 0 ? "anchored" : "durable")).Expect(200);
                (fast ? promised : acknowledged).Add(answer.Receipt);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or ObjectDisposedException)
            {
                return; // killed before it answered: nothing was acknowledged
            }
        }
    }
}
