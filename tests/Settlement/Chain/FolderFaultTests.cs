using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Chain;

/// <summary>Folders that were copied, restored or cut.</summary>
public sealed class FolderFaultTests(Anvil anvil) : IClassFixture<Anvil>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [AnvilFact]
    public async Task Settler_TwinOverACopiedFolder_AnchorsEachBatchOnce()
    {
        using var engine = Start(nameof(Settler_TwinOverACopiedFolder_AnchorsEachBatchOnce));
        var first = await engine.AcceptUntilFinal();
        var second = await engine.Accept();
        engine.Stop();
        using var copy = new TemporaryFolder();
        CopyFolder(_folder.Path, copy.Path);
        using var twin = new Doubles.Engine(anvil, nameof(Settler_TwinOverACopiedFolder_AnchorsEachBatchOnce), new LinuxDisk(), copy.Path);
        var relayer = Secp256k1.FromSeed("relayer");
        await anvil.Call("anvil_setBalance", $"[\"{relayer.Address}\",\"0x56bc75e2d63100000\"]");
        twin.Account = relayer;
        engine.Start();
        twin.Start();

        await engine.Tick();
        await twin.Tick();
        Assert.NotEmpty(engine.Faults.Sent);
        Assert.NotEmpty(twin.Faults.Sent); // the fault bit: both sent
        for (var i = 0; i < 8; i++)
        {
            await anvil.Mine();
            await engine.Tick();
            await twin.Tick();
        }

        Assert.Equal(ReceiptStage.Final, engine.Service.Find(second.StatementId)!.Stage);
        Assert.Equal(ReceiptStage.Final, twin.Service.Find(second.StatementId)!.Stage);
        Assert.Equal(2, (await engine.Audit(first, second)).Count);
    }

    [AnvilFact]
    public async Task Settler_OldFolderRestored_RefusesToSign()
    {
        using var engine = Start(nameof(Settler_OldFolderRestored_RefusesToSign));
        var first = await engine.AcceptUntilFinal();
        engine.Stop();
        using var backup = new TemporaryFolder();
        CopyFolder(_folder.Path, backup.Path);
        engine.Start();
        await engine.RunUntilFinal(await engine.Accept());

        using var restored = new Doubles.Engine(anvil, nameof(Settler_OldFolderRestored_RefusesToSign), new LinuxDisk(), backup.Path).Start();
        for (var i = 0; i < 3; i++) await restored.Tick();
        Assert.Equal(ConditionKind.LogRolledBack, Assert.Single(restored.Service.Conditions).Kind);
        await restored.Accept();
        await restored.Accept();
        for (var i = 0; i < 3; i++) await restored.Tick();
        // The leaves that the lost log gave away are given to nobody else: it can still be repaired.
        Assert.Equal(1ul, restored.Service.LogSizes.Size);
        Assert.Equal(ConditionKind.LogRolledBack, Assert.Single(restored.Service.Conditions).Kind);
        Assert.Equal(0, restored.Epoch.CheckpointsSigned);
        Assert.Empty(restored.Faults.Sent);
    }

    [AnvilFact]
    public async Task Service_OutboxTruncatedBehindThePublishedLog_RefusesToOpen()
    {
        using var engine = new Doubles.Engine(anvil, nameof(Service_OutboxTruncatedBehindThePublishedLog_RefusesToOpen), new LinuxDisk(), _folder.Path);
        engine.Options = engine.Options with { Storage = new StorageOptions() }; // no snapshot yet that could notice it first
        engine.Start();
        await engine.RunUntilFinal(await engine.Accept());
        engine.Stop();
        var segment = Path.Combine(_folder.Path, "outbox", "outbox-00000001.seg");
        await File.WriteAllBytesAsync(segment, (await File.ReadAllBytesAsync(segment))[..56]);
        Assert.Contains("the outbox was truncated", Assert.Throws<LogDamagedException>(() => engine.Start()).Message, StringComparison.Ordinal);
    }

    [AnvilFact]
    public async Task Service_OutboxTruncatedBehindTheSnapshot_RefusesToOpen()
    {
        using var engine = Start(nameof(Service_OutboxTruncatedBehindTheSnapshot_RefusesToOpen));
        await engine.RunUntilFinal(await engine.Accept());
        Assert.True(engine.Service.Storage.SnapshotsTaken > 0);
        engine.Stop();
        var segment = Path.Combine(_folder.Path, "outbox", "outbox-00000001.seg");
        await File.WriteAllBytesAsync(segment, (await File.ReadAllBytesAsync(segment))[..56]);
        Assert.Contains("a snapshot knows this record", Assert.Throws<OutboxDamagedException>(() => engine.Start()).Message, StringComparison.Ordinal);
    }

    private Doubles.Engine Start(string name) => new Doubles.Engine(anvil, name, new LinuxDisk(), _folder.Path).Start();

    private static void CopyFolder(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
