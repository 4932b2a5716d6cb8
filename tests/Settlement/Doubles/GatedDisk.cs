using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>A disk whose syncs stand still while the gate is closed.</summary>
internal sealed class GatedDisk(IDisk disk) : IDisk, IDisposable
{
    private readonly ManualResetEventSlim _open = new(true);
    private int _syncs, _waiting;

    /// <summary>Syncs that have returned.</summary>
    public int Syncs => Volatile.Read(ref _syncs);

    /// <summary>Returns once a sync stands still.</summary>
    public void UntilWaiting(TimeSpan limit) =>
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref _waiting) > 0, limit), "no sync came");

    public void Close() => _open.Reset();

    public void Open() => _open.Set();

    public void Dispose() => _open.Dispose();

    public void CreateFolder(string path) => disk.CreateFolder(path);

    public bool Exists(string path) => disk.Exists(path);

    public string[] List(string folder) => disk.List(folder);

    public IDiskFile Open(string path, bool create) => new File(disk.Open(path, create), this);

    public void Rename(string from, string to) => disk.Rename(from, to);

    public void Delete(string path) => disk.Delete(path);

    public void SyncFolder(string path) => disk.SyncFolder(path);

    public IDisposable? TryLock(string path) => disk.TryLock(path);

    private sealed class File(IDiskFile file, GatedDisk owner) : IDiskFile
    {
        public long Length => file.Length;

        public int Read(Span<byte> destination, long offset) => file.Read(destination, offset);

        public void Write(ReadOnlySpan<byte> source, long offset) => file.Write(source, offset);

        public void Sync()
        {
            Interlocked.Increment(ref owner._waiting);
            owner._open.Wait();
            Interlocked.Decrement(ref owner._waiting);
            file.Sync();
            Interlocked.Increment(ref owner._syncs);
        }

        public void Truncate(long length) => file.Truncate(length);

        public void Allocate(long length) => file.Allocate(length);

        public void Dispose() => file.Dispose();
    }
}
