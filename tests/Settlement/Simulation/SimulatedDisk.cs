using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Tests.Simulation;

/// <summary>
/// A disk in memory with the kernel's freedom: until a sync, each 64-byte piece of a write and each change of a folder
/// may or may not survive a crash. One seed decides everything.
/// </summary>
internal sealed class SimulatedDisk(int seed) : IDisk
{
    private const int Piece = 64;
    private const int InputOutputError = 5;
    private const int NoSpace = 28;

    private readonly Random _random = new(seed);
    private readonly object _gate = new();
    private Dictionary<string, Content> _names = [];
    private Dictionary<string, Content> _durableNames = [];
    private readonly HashSet<string> _locks = [];
    private long _operations;
    private bool _down;

    /// <summary>Counts writes, syncs, renames and the like; the fault fires when the count reaches it.</summary>
    public long CrashAt { get; set; } = long.MaxValue;

    /// <summary>The operation with this number fails with EIO if it is a sync, and its effect is lost.</summary>
    public long FailSyncAt { get; set; } = long.MaxValue;

    public long FreeBytes { get; set; } = long.MaxValue;

    public long Operations { get { lock (_gate) return _operations; } }

    public bool FaultBit { get; private set; }

    /// <summary>Power is lost and comes back: unsynced state is resolved by the seed.</summary>
    public void Reboot()
    {
        lock (_gate)
        {
            foreach (var content in _names.Values.Concat(_durableNames.Values).Distinct()) content.Crash(_random);
            // Folder changes reach the disk in order; a crash keeps a prefix. Two states suffice: all of them or none.
            if (_random.Next(2) == 0) _durableNames = new(_names);
            _names = new(_durableNames);
            _locks.Clear();
            (_down, CrashAt, FailSyncAt) = (false, long.MaxValue, long.MaxValue);
        }
    }

    public byte[] Snapshot(string path) { lock (_gate) return _names[path].Live.ToArray(); }

    public void Overwrite(string path, byte[] bytes) { lock (_gate) _names[path].Replace(bytes); }

    public void CreateFolder(string path) => Step("mkdir", path, () => { });

    public bool Exists(string path) { lock (_gate) return _names.ContainsKey(path); }

    public string[] List(string folder)
    {
        lock (_gate) return [.. _names.Keys.Where(path => Path.GetDirectoryName(path) == folder).Select(path => Path.GetFileName(path))];
    }

    public IDiskFile Open(string path, bool create)
    {
        lock (_gate)
        {
            Alive(path);
            if (!_names.TryGetValue(path, out var content))
            {
                if (!create) throw new DiskException("open", path, 2);
                _names[path] = content = new Content();
            }

            return new File(this, path, content);
        }
    }

    public void Rename(string from, string to) => Step("rename", from, () =>
    {
        _names[to] = _names[from];
        _names.Remove(from);
    });

    public void Delete(string path) => Step("unlink", path, () => _names.Remove(path));

    public void SyncFolder(string path) => Step("fsync", path, () =>
    {
        foreach (var gone in _durableNames.Keys.Where(name => Path.GetDirectoryName(name) == path && !_names.ContainsKey(name)).ToArray()) _durableNames.Remove(gone);
        foreach (var (name, content) in _names)
            if (Path.GetDirectoryName(name) == path) _durableNames[name] = content;
    });

    public IDisposable? TryLock(string path)
    {
        lock (_gate) return _locks.Add(path) ? new Unlock(() => { lock (_gate) _locks.Remove(path); }) : null;
    }

    private void Alive(string path)
    {
        if (_down) throw new DiskException("use after power loss", path, InputOutputError);
    }

    private void Step(string operation, string path, Action effect)
    {
        lock (_gate)
        {
            Alive(path);
            _operations++;
            if (_operations >= CrashAt)
            {
                // The operation under way may have had its effect or not.
                if (_random.Next(2) == 0) effect();
                (_down, FaultBit) = (true, true);
                throw new DiskException(operation + " cut by power loss", path, InputOutputError);
            }

            if (_operations >= FailSyncAt && operation is "fdatasync")
            {
                FaultBit = true;
                FailSyncAt = long.MaxValue;
                throw new DiskException(operation, path, InputOutputError);
            }

            effect();
        }
    }

    private void Spend(string operation, string path, long bytes)
    {
        lock (_gate)
        {
            if (bytes > FreeBytes)
            {
                FaultBit = true;
                throw new DiskException(operation, path, NoSpace);
            }

            FreeBytes -= bytes;
        }
    }

    private sealed class Content
    {
        private byte[] _durable = [];
        private readonly List<(long Offset, byte[] Bytes)> _pending = [];

        public byte[] Live { get; private set; } = [];

        public void Write(ReadOnlySpan<byte> bytes, long offset)
        {
            if (Live.Length < offset + bytes.Length) { var longer = Live; Array.Resize(ref longer, (int)offset + bytes.Length); Live = longer; }
            bytes.CopyTo(Live.AsSpan((int)offset));
            _pending.Add((offset, bytes.ToArray()));
        }

        public void Resize(long length)
        {
            var resized = Live;
            Array.Resize(ref resized, (int)length);
            Live = resized;
            // Length changes are journaled with the file's metadata; treating them as durable at once is the harsher case for a cut tail.
            Array.Resize(ref _durable, (int)length);
            _pending.RemoveAll(write => write.Offset + write.Bytes.Length > length);
        }

        public void Sync()
        {
            _durable = (byte[])Live.Clone();
            _pending.Clear();
        }

        public void Crash(Random random)
        {
            foreach (var (offset, bytes) in _pending)
            {
                for (var at = 0; at < bytes.Length; at += Piece)
                {
                    if (random.Next(3) == 0) continue;
                    var end = Math.Min(at + Piece, bytes.Length);
                    if (_durable.Length < offset + end) Array.Resize(ref _durable, (int)offset + end);
                    bytes.AsSpan(at, end - at).CopyTo(_durable.AsSpan((int)offset + at));
                }
            }

            _pending.Clear();
            Live = (byte[])_durable.Clone();
        }

        public void Replace(byte[] bytes)
        {
            Live = bytes;
            Sync();
        }
    }

    private sealed class File(SimulatedDisk disk, string path, Content content) : IDiskFile
    {
        public long Length { get { lock (disk._gate) return content.Live.Length; } }

        public int Read(Span<byte> destination, long offset)
        {
            lock (disk._gate)
            {
                disk.Alive(path);
                var count = (int)Math.Clamp(content.Live.Length - offset, 0, destination.Length);
                content.Live.AsSpan((int)Math.Min(offset, content.Live.Length), count).CopyTo(destination);
                return count;
            }
        }

        public void Write(ReadOnlySpan<byte> source, long offset)
        {
            var bytes = source.ToArray();
            if (offset + bytes.Length > Length) disk.Spend("pwrite", path, offset + bytes.Length - Length);
            disk.Step("pwrite", path, () => content.Write(bytes, offset));
        }

        public void Sync() => disk.Step("fdatasync", path, content.Sync);

        public void Truncate(long length) => disk.Step("ftruncate", path, () => content.Resize(length));

        public void Allocate(long length)
        {
            if (length <= Length) return;
            disk.Spend("fallocate", path, length - Length);
            disk.Step("fallocate", path, () => content.Resize(length));
        }

        public void Dispose() { }
    }

    private sealed class Unlock(Action action) : IDisposable
    {
        public void Dispose() => action();
    }
}
