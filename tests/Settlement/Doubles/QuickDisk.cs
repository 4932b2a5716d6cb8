using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>The real disk without its syncs, for tests of what is written and not of what survives.</summary>
internal sealed class QuickDisk : IDisk
{
    private readonly LinuxDisk _disk = new();

    public void CreateFolder(string path) => Directory.CreateDirectory(path);

    public bool Exists(string path) => _disk.Exists(path);

    public string[] List(string folder) => _disk.List(folder);

    public IDiskFile Open(string path, bool create) => new QuickFile(_disk.Open(path, create));

    public void Rename(string from, string to) => _disk.Rename(from, to);

    public void Delete(string path) => _disk.Delete(path);

    public void SyncFolder(string path)
    {
    }

    public IDisposable? TryLock(string path) => _disk.TryLock(path);

    private sealed class QuickFile(IDiskFile file) : IDiskFile
    {
        public long Length => file.Length;

        public int Read(Span<byte> destination, long offset) => file.Read(destination, offset);

        public void Write(ReadOnlySpan<byte> source, long offset) => file.Write(source, offset);

        public void Sync()
        {
        }

        public void Truncate(long length) => file.Truncate(length);

        public void Allocate(long length) => file.Allocate(length);

        public void Dispose() => file.Dispose();
    }
}
