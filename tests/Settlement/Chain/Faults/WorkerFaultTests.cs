using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Chain.Faults;

/// <summary>Two workers where there should be one.</summary>
public sealed class WorkerFaultTests : FaultTable
{
    [AnvilFact]
    public Task Workers_TwoOnCopiesWithOneAccount_SettleEveryBatchOnce() => EachSeed(scene => Twins(scene, Node.Account));

    [AnvilFact]
    public Task Workers_TwoOnCopiesWithTwoAccounts_SettleEveryBatchOnce() => EachSeed(async scene =>
    {
        var relayer = Secp256k1.FromSeed("relayer " + scene.Name);
        await Node.Call("anvil_setBalance", $"[\"{relayer.Address}\",\"0x56bc75e2d63100000\"]");
        await Twins(scene, relayer);
    });

    [AnvilFact]
    public Task Workers_TwoOnOneFolder_TheSecondIsRefused() => EachSeed(async scene =>
    {
        await scene.Begin();
        using var second = new Doubles.Engine(Node, scene.Name, new LinuxDisk(), scene.Folder);
        Assert.Throws<OutboxLockedException>(() => second.Start()); // the fault bit
        await scene.End(oneTransactionEach: true);
    });

    private async Task Twins(Scene scene, ITransactionSigner account)
    {
        await scene.Begin();
        // The copy is taken with work in it that neither has sent.
        var waiting = await scene.Accept();
        scene.Engine.Stop();
        using var copy = new TemporaryFolder();
        foreach (var file in Directory.EnumerateFiles(scene.Folder, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy.Path, Path.GetRelativePath(scene.Folder, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        using var twin = new Doubles.Engine(Node, scene.Name, new LinuxDisk(), copy.Path) { Account = account };
        scene.Engine.Start();
        twin.Start();
        for (var round = 0; round < 30; round++)
        {
            var order = scene.Random.Next(2) == 0 ? new[] { scene.Engine, twin } : [twin, scene.Engine];
            foreach (var worker in order) await worker.Tick();
            if (scene.Random.Next(2) == 0) await Node.Mine();
        }

        // The fault bit: both had the batch to anchor, and both sent.
        Assert.NotEmpty(scene.Engine.Faults.Sent);
        Assert.NotEmpty(twin.Faults.Sent);
        await twin.RunUntilFinal(waiting);
        twin.Stop();
        await scene.End();
    }
}
