using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Backup;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Keeping;

public sealed class BackupTests : IDisposable
{
    private readonly TemporaryFolder _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public async Task BackUp_UnderLoad_HoldsEverythingAcknowledgedBeforeIt()
    {
        using var engine = Open("data").Start();
        var acknowledged = await engine.Grow(60);
        using var stop = new CancellationTokenSource();
        var load = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested) await engine.Grow(4, 4);
        });
        for (var i = 0; i < 3; i++)
        {
            var before = engine.Look(acknowledged);
            var report = await engine.Service.BackUpAsync(At($"backup {i}"), []);
            Assert.True(report.Journal.Segment > 1, "the journal is too short to have been copied while it grew");
            DataFolderBackup.Restore(At($"backup {i}"), At($"restored {i}"));
            using var restored = Open($"restored {i}").Start();
            Assert.Equal(before, restored.Look(acknowledged));
        }

        await stop.CancelAsync();
        await load;
    }

    [Fact]
    public async Task Restore_OlderThanTheContract_SignsAndSequencesNothingUntilRepaired()
    {
        using var engine = Open("data").Start();
        var old = await engine.Grow(20);
        var waiting = await engine.Accept(2); // durable and no more: the backup may not give its leaf to another
        await engine.Service.BackUpAsync(At("backup"), []);
        var lost = await engine.Grow(300);
        var (size, head) = (engine.Service.LogSizes.Size, engine.Ledger.Head);
        engine.Stop();
        DataFolderBackup.Restore(At("backup"), At("restored"));

        using var restored = Open("restored", engine).Start();
        var fresh = await restored.Accept(1);
        for (var i = 0; i < 4; i++) await restored.Service.TickAsync(CancellationToken.None);
        Assert.Equal(ConditionKind.LogRolledBack, Assert.Single(restored.Service.Conditions).Kind);
        Assert.Equal((20ul, head), (restored.Service.LogSizes.Size, engine.Ledger.Head));
        restored.Stop();

        var mirror = At("data/log");
        byte[]? Published(string path) => File.Exists(Path.Combine(mirror, path)) ? File.ReadAllBytes(Path.Combine(mirror, path)) : null;
        await Assert.ThrowsAsync<LogRepairException>(() => Repair(path => path == "checkpoint" ? null : Published(path), head));
        await Assert.ThrowsAsync<LogRepairException>(() => Repair(path => Published(path) is { } bytes && path.Contains("entries", StringComparison.Ordinal) ? Flip(bytes) : Published(path), head));
        await Assert.ThrowsAsync<LogRepairException>(() => Repair(Published, LogHead.Pack(Hash256.Sha256([1]), size)));
        var report = await Repair(Published, head);
        Assert.Equal((20ul, size), (report.Before, report.After));

        restored.Start();
        await restored.Settle([.. old, .. lost, waiting, fresh]);
        Assert.Empty(restored.Service.Conditions);
        Assert.Equal(size + 1, restored.Service.LogSizes.Size);
        Assert.Equal(engine.LeafOf(lost[^1]), restored.Service.Find(lost[^1].StatementId)!.Leaf);
        Assert.Null(restored.Service.Find(lost[5].ReceiptId(0))); // its row was known to the lost disk alone
        Assert.Equal(SubmitStatus.Accepted, (await restored.Service.SubmitAsync(lost[5].Receipt(0))).Status);
        Assert.Equal(ReceiptStage.Final, restored.Service.Find(lost[5].ReceiptId(0))!.Statement.Stage);
        Assert.False(File.Exists(At("restored/restored")));

        Task<RepairReport> Repair(Func<string, byte[]?> published, Hash256 against) =>
            Locks.RetakeAsync(() => LogRepair.RunAsync(At("restored"), restored.Options.Outbox, published, against, TimeProvider.System));
    }

    [Fact]
    public async Task Restore_BackupThatIsNotWhole_IsRefusedByName()
    {
        using var engine = Open("data").Start();
        await engine.Grow(10);
        await engine.Service.BackUpAsync(At("backup"), []);
        await Assert.ThrowsAsync<IOException>(() => engine.Service.BackUpAsync(At("backup"), []));
        engine.Stop();
        Assert.Contains("is not empty", Assert.Throws<IOException>(() => DataFolderBackup.Restore(At("backup"), At("data"))).Message, StringComparison.Ordinal);

        var list = At("backup/backup.sha256");
        var text = await File.ReadAllTextAsync(list);
        var segment = Directory.EnumerateFiles(At("backup/outbox"), "*.seg").First();
        var bytes = await File.ReadAllBytesAsync(segment);
        await File.WriteAllBytesAsync(segment, Flip(bytes));
        Assert.Contains(Path.GetFileName(segment), Assert.Throws<FormatException>(() => DataFolderBackup.Restore(At("backup"), At("a"))).Message, StringComparison.Ordinal);
        await File.WriteAllBytesAsync(segment, bytes);
        await File.WriteAllTextAsync(list, text.Replace("backup v1", "backup v2", StringComparison.Ordinal));
        Assert.Contains("another format version", Assert.Throws<FormatException>(() => DataFolderBackup.Restore(At("backup"), At("b"))).Message, StringComparison.Ordinal);
        await File.WriteAllTextAsync(list, text.Replace("outbox/", "../outbox/", StringComparison.Ordinal));
        Assert.Contains("not a path inside", Assert.Throws<FormatException>(() => DataFolderBackup.Restore(At("backup"), At("c"))).Message, StringComparison.Ordinal);
        File.Delete(list);
        Assert.Contains("not a whole backup", Assert.Throws<FormatException>(() => DataFolderBackup.Restore(At("backup"), At("d"))).Message, StringComparison.Ordinal);
    }

    private static byte[] Flip(byte[] bytes)
    {
        var flipped = (byte[])bytes.Clone();
        flipped[flipped.Length / 3] ^= 1;
        return flipped;
    }

    private string At(string path) => Path.Combine(_root.Path, path);

    private KeptEngine Open(string folder, KeptEngine? chainOf = null) => new(new LinuxDisk(), At(folder), chainOf);
}
