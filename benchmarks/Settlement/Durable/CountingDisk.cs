using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Benchmarks.Settlement.Durable;

/// <summary>The machine's disk, with the groups counted that the outbox writes: everything behind a segment's header.</summary>
internal sealed class CountingDisk : IDisk
{
    private readonly LinuxDisk _disk = new();
    private long _groups;
    private long _bytes;

    /// <summary>Groups written and synced so far, and their bytes.</summary>
    public (long Groups, long Bytes) Written => (Volatile.Read(ref _groups), Volatile.Read(ref _bytes));

    public void CreateFolder(string path) => _disk.CreateFolder(path);

    public bool Exists(string path) => _disk.Exists(path);

    public string[] List(string folder) => _disk.List(folder);

    public IDiskFile Open(string path, bool create) => new File(this, _disk.Open(path, create));

    public void Rename(string from, string to) => _disk.Rename(from, to);

    public void Delete(string path) => _disk.Delete(path);

    public void SyncFolder(string path) => _disk.SyncFolder(path);

    public IDisposable? TryLock(string path) => _disk.TryLock(path);

    private sealed class File(CountingDisk owner, IDiskFile file) : IDiskFile
    {
        private int _unsynced; // written by the outbox's one writer

        public long Length => file.Length;

        public int Read(Span<byte> destination, long offset) => file.Read(destination, offset);

        public void Write(ReadOnlySpan<byte> source, long offset)
        {
            file.Write(source, offset);
            if (offset > 0) _unsynced += source.Length;
        }

        public void Sync()
        {
            file.Sync();
            if (_unsynced == 0) return;
            Interlocked.Add(ref owner._bytes, _unsynced);
            Interlocked.Increment(ref owner._groups);
            _unsynced = 0;
        }

        public void Truncate(long length) => file.Truncate(length);

        public void Allocate(long length) => file.Allocate(length);

        public void Dispose() => file.Dispose();
    }
}
