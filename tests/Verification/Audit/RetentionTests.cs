using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Verification.Audit;

namespace OpenGradient.Engine.Verification.Tests.Audit;

/// <summary>What both ways to keep rows promise.</summary>
public abstract class RetentionContract(Installation installation) : IClassFixture<Installation>, IDisposable
{
    private protected HandClock Clock { get; } = new();

    private protected IBatchSealer Sealer => installation.First;

    private protected abstract IRowRetention Open(RetentionLimits limits);

    public virtual void Dispose() => GC.SuppressFinalize(this);

    [Fact]
    public void Kept_Rows_AreWhatTheirReceiptsCommitTo()
    {
        using var retention = Open(Wide);
        var batch = Kept.Show(Sealer, retention, 5);
        for (var row = 0u; row < 5; row++) Kept.AssertHeld(retention, batch, row);
        retention.Sweep();
        for (var row = 0u; row < 5; row++) Kept.AssertHeld(retention, batch, row);
        Assert.Null(retention.Find(batch.StatementId, 5));
        Assert.Null(retention.Find(Hash256.Sha256("another"u8), 0));
        Assert.Equal(5, retention.Report.Rows);
    }

    [Fact]
    public void Cap_Reached_KeepsTheOlderAndCountsTheRest()
    {
        using var retention = Open(Wide with { MaxBytes = 100_000 });
        var batches = Enumerable.Range(0, 200).Select(_ => Kept.Show(Sealer, retention, 4, 500)).ToArray();
        retention.Sweep();
        var report = retention.Report;
        Assert.True(report.Bytes <= 100_000, $"{report.Bytes} bytes");
        Assert.True(report.Dropped > 0);
        Assert.Equal(800, report.Rows + report.Dropped);
        Kept.AssertHeld(retention, batches[0], 0);
        Assert.Null(retention.Find(batches[^1].StatementId, 0));
    }

    [Fact]
    public void Draw_Over_LeavesTheDrawnRowsAlone()
    {
        using var retention = Open(Wide);
        var (first, second) = (Kept.Show(Sealer, retention, 6), Kept.Show(Sealer, retention, 3));
        retention.Sweep();
        retention.KeepOnly(first.StatementId, [2, 5]);
        retention.KeepOnly(second.StatementId, []);
        Assert.Equal([2u, 5u], Enumerable.Range(0, 6).Select(row => (uint)row).Where(row => retention.Find(first.StatementId, row) is not null));
        Assert.All(Enumerable.Range(0, 3), row => Assert.Null(retention.Find(second.StatementId, (uint)row)));
        Assert.Equal(2, retention.Report.Rows);
        Assert.False(retention.IsErased(first.StatementId, 0)); // let go, not erased
        Assert.Equal(0, retention.Report.Erased);
    }

    [Fact]
    public void Released_Room_IsGivenToLaterRows()
    {
        using var retention = Open(Wide with { MaxBytes = 40_000 });
        for (var i = 0; i < 50; i++)
        {
            var batch = Kept.Show(Sealer, retention, 4, 2000);
            Kept.AssertHeld(retention, batch, 3);
            retention.KeepOnly(batch.StatementId, []);
        }

        Assert.Equal((0, 0), (retention.Report.Rows, retention.Report.Dropped));
    }

    [Fact]
    public void Window_Over_LetsRowsGoAndCountsThem()
    {
        using var retention = Open(Wide);
        var old = Kept.Show(Sealer, retention, 2);
        retention.Sweep();
        Clock.Advance(Wide.Window / 2);
        var young = Kept.Show(Sealer, retention, 2);
        Clock.Advance((Wide.Window * 0.8) + TimeSpan.FromSeconds(1));
        retention.Sweep();
        Assert.Null(retention.Find(old.StatementId, 0));
        Kept.AssertHeld(retention, young, 1);
        Assert.Equal(2, retention.Report.Expired);
        Clock.Advance(2 * Wide.Window);
        retention.Sweep();
        Assert.Equal((0, 4), (retention.Report.Rows, retention.Report.Expired));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Erased_Row_IsGoneAndNamedSo(bool swept)
    {
        using var retention = Open(Wide);
        var batch = Kept.Show(Sealer, retention, 3);
        if (swept) retention.Sweep();
        Assert.True(retention.Erase(batch.StatementId, 1));
        Assert.False(retention.Erase(batch.StatementId, 1));
        Assert.Null(retention.Find(batch.StatementId, 1));
        Assert.True(retention.IsErased(batch.StatementId, 1));
        Kept.AssertHeld(retention, batch, 0);
        Kept.AssertHeld(retention, batch, 2);
        Assert.Equal((2, 1), (retention.Report.Rows, retention.Report.Erased));
    }

    [Fact]
    public void EraseAll_Rows_AreGone()
    {
        using var retention = Open(Wide);
        var swept = Kept.Show(Sealer, retention, 3);
        retention.Sweep();
        var fresh = Kept.Show(Sealer, retention, 2);
        Assert.Equal(5, retention.EraseAll());
        Assert.Equal((0, 5), (retention.Report.Rows, retention.Report.Erased));
        Assert.Null(retention.Find(swept.StatementId, 0));
        Assert.True(retention.IsErased(swept.StatementId, 2) && retention.IsErased(fresh.StatementId, 1));
        Kept.AssertHeld(retention, Kept.Show(Sealer, retention, 1), 0); // and goes on
    }

    [Fact]
    public async Task Kept_FromManyThreads_IsAllThere()
    {
        using var retention = Open(Wide);
        using var stop = new CancellationTokenSource();
        var sweeping = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested) retention.Sweep();
        });
        var batches = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Enumerable.Range(0, 100).Select(_ => Kept.Show(Sealer, retention, 3)).ToArray())));
        await stop.CancelAsync();
        await sweeping;
        retention.Sweep();
        Assert.Equal(1200, retention.Report.Rows);
        Assert.All(batches.SelectMany(each => each), batch => Kept.AssertHeld(retention, batch, 2));
    }

    private protected static RetentionLimits Wide { get; } = new(64 << 20, TimeSpan.FromMinutes(8));
}

public sealed class MemoryRetentionTests(Installation installation) : RetentionContract(installation)
{
    private protected override IRowRetention Open(RetentionLimits limits) => new MemoryRetention(limits, Clock);

    [Fact]
    public void Disposed_TakesNothingMore()
    {
        var retention = Open(Wide);
        retention.Dispose();
        Assert.Null(retention.Find(Kept.Show(Sealer, retention, 2).StatementId, 0));
        Assert.Equal(0, retention.Report.Rows);
    }
}

public sealed class DiskRetentionTests(Installation installation) : RetentionContract(installation)
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("og-retention-");

    private string Rows => Path.Combine(_root.FullName, "retained");

    private string Keys => Path.Combine(_root.FullName, "keys");

    private protected override IRowRetention Open(RetentionLimits limits) => new DiskRetention(Rows, Keys, limits, Clock);

    public override void Dispose()
    {
        _root.Delete(recursive: true);
        base.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Reopened_Rows_AreThere(bool swept)
    {
        SealedBatch batch;
        using (var retention = Open(Wide))
        {
            batch = Kept.Show(Sealer, retention, 3);
            if (swept) retention.Sweep();
        }

        using var again = Open(Wide);
        for (var row = 0u; row < 3; row++) Kept.AssertHeld(again, batch, row);
        Assert.Equal(3, again.Report.Rows);
    }

    [Fact]
    public void OnDisk_Inputs_AreNotReadable()
    {
        using var retention = Open(Wide);
        Kept.Show(Sealer, retention, 3, 300);
        retention.Sweep();
        var bytes = Read(Assert.Single(Directory.GetFiles(Rows)));
        Assert.True(bytes.Length > 900);
        Assert.Equal(-1, bytes.AsSpan().IndexOf(Enumerable.Repeat((byte)2, 16).ToArray()));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Assert.Single(Directory.GetFiles(Keys))));
    }

    [Fact]
    public void Erased_Row_IsOverwrittenAndStaysGone()
    {
        SealedBatch batch;
        byte[] before;
        using (var retention = Open(Wide))
        {
            batch = Kept.Show(Sealer, retention, 2, 300);
            retention.Sweep();
            before = Read(Directory.GetFiles(Rows)[0]);
            Assert.True(retention.Erase(batch.StatementId, 0));
        }

        var after = Read(Directory.GetFiles(Rows)[0]);
        Assert.Equal(before.Length, after.Length);
        Assert.True(after.AsSpan().IndexOf(new byte[300]) > 0, "nothing was overwritten");
        using var again = Open(Wide);
        Assert.Null(again.Find(batch.StatementId, 0));
        Kept.AssertHeld(again, batch, 1);
    }

    [Fact]
    public void Window_Over_DestroysTheKey()
    {
        using var retention = Open(Wide);
        var batch = Kept.Show(Sealer, retention, 2);
        retention.Sweep();
        var copy = Path.Combine(_root.FullName, "copy");
        File.Copy(Directory.GetFiles(Rows)[0], copy);
        Clock.Advance(2 * Wide.Window);
        retention.Sweep();
        Assert.Empty(Directory.GetFiles(Rows));
        Assert.Empty(Directory.GetFiles(Keys));

        // A copy of the rows that somebody made meanwhile is noise: without its key it is not even taken.
        File.Copy(copy, Path.Combine(Rows, "1.rows"));
        using var again = Open(Wide);
        Assert.Null(again.Find(batch.StatementId, 0));
        Assert.Equal(0, again.Report.Rows);
    }

    [Fact]
    public void AllOfASliceReleased_DestroysItsKeyBeforeItsTime()
    {
        using var retention = Open(Wide);
        var first = Kept.Show(Sealer, retention, 2);
        retention.Sweep();
        Clock.Advance(Wide.Window / 4);
        Kept.Show(Sealer, retention, 2);
        retention.Sweep();
        Assert.Equal(2, Directory.GetFiles(Keys).Length);
        retention.KeepOnly(first.StatementId, []);
        Assert.Single(Directory.GetFiles(Keys));
    }

    [Fact]
    public void CutOff_LastRow_IsNotTakenForOne()
    {
        SealedBatch batch;
        using (var retention = Open(Wide)) batch = Kept.Show(Sealer, retention, 2);
        using (var file = new FileStream(Directory.GetFiles(Rows)[0], FileMode.Open)) file.SetLength(file.Length - 5);
        using var again = Open(Wide);
        Kept.AssertHeld(again, batch, 0);
        Assert.Null(again.Find(batch.StatementId, 1));
    }

    [Fact]
    public void NewerVersion_IsRefusedByName()
    {
        using (var retention = Open(Wide)) Kept.Show(Sealer, retention, 1);
        var path = Directory.GetFiles(Rows)[0];
        var bytes = File.ReadAllBytes(path);
        bytes[14] = (byte)'2';
        File.WriteAllBytes(path, bytes);
        Assert.Contains("version", Assert.Throws<FormatException>(() => Open(Wide)).Message);
        Assert.Equal(bytes, File.ReadAllBytes(path));
        Assert.Single(Directory.GetFiles(Keys));
    }

    [Fact]
    public void Changed_Byte_IsNoticed()
    {
        SealedBatch batch;
        using (var retention = Open(Wide)) batch = Kept.Show(Sealer, retention, 1);
        var path = Directory.GetFiles(Rows)[0];
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
        using var again = Open(Wide);
        Assert.Null(again.Find(batch.StatementId, 0));
    }

    // The retention has the file open for writing.
    private static byte[] Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }
}
