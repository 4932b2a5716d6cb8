using System.Buffers.Binary;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.History;

/// <summary>What a nonce's use is.</summary>
public enum NonceUse
{
    /// <summary>Not used before; it is now, also after a restart.</summary>
    Fresh,

    /// <summary>Used before.</summary>
    Used,

    /// <summary>Every place is taken by a nonce that must still be remembered: nothing new is accepted until one is old enough.</summary>
    Full,

    /// <summary>The time lies so far back that a nonce of it may have been forgotten.</summary>
    Past,
}

/// <summary>
/// Nonces that were used, so that none is used twice, over restarts too. A nonce is remembered for a given time, which must be longer than
/// the caller waits for an answer to a challenge. The file is the caller's: one process at a time, appended and synced before
/// <see cref="NonceUse.Fresh"/> is said. Whoever can put an old copy of it back can use its nonces again. Thread-safe.
/// </summary>
public sealed class NonceLedger : IDisposable
{
    /// <summary>40 bytes each in memory and file.</summary>
    public const int DefaultCapacity = 65_536;

    // SHA-256 of the nonce, then seconds since 1970, little-endian.
    private const int RecordSize = Hash256.Size + 8;

    private readonly Dictionary<Hash256, long> _used = [];
    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly int _capacity;
    private readonly long _keep;
    private readonly FileStream _owner;
    private FileStream _file;
    private long _latest = long.MinValue;

    private NonceLedger(string path, int capacity, TimeSpan keep, FileStream owner, FileStream file) =>
        (_path, _capacity, _keep, _owner, _file) = (path, capacity, (long)keep.TotalSeconds, owner, file);

    /// <summary>Opens the file or creates it; beside it stands <c>PATH.lock</c>.</summary>
    /// <param name="path">Its folder exists. A file that is lost is a ledger that has forgotten.</param>
    /// <param name="keep">How long a nonce is remembered, a day by default: many times longer than any challenge is open.</param>
    /// <param name="capacity">Nonces that are remembered at most.</param>
    /// <exception cref="IOException">The file cannot be read, or another process has it.</exception>
    /// <exception cref="FormatException">It holds more than a ledger of this capacity writes.</exception>
    public static NonceLedger Open(string path, TimeSpan? keep = null, int capacity = DefaultCapacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        var owner = new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        FileStream? file = null;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
            var ledger = new NonceLedger(path, capacity, keep ?? TimeSpan.FromDays(1), owner, file);
            ledger.Load();
            return ledger;
        }
        catch
        {
            file?.Dispose();
            owner.Dispose();
            throw;
        }
    }

    /// <summary>Uses a nonce at a time. Anything but <see cref="NonceUse.Fresh"/> must end in refusal.</summary>
    /// <exception cref="IOException">It could not be made durable; it counts as used.</exception>
    public NonceUse Use(ReadOnlySpan<byte> nonce, DateTimeOffset at)
    {
        var name = Hash256.Sha256(nonce);
        var now = at.ToUnixTimeSeconds();
        lock (_lock)
        {
            if (_used.ContainsKey(name)) return NonceUse.Used;
            if (_latest != long.MinValue && now < _latest - _keep) return NonceUse.Past;
            if (_used.Count >= _capacity && !MakeRoom(now)) return NonceUse.Full;
            _used.Add(name, now);
            _latest = Math.Max(_latest, now);
            _file.Write(Record(name, now));
            _file.Flush(flushToDisk: true);
            return NonceUse.Fresh;
        }
    }

    public void Dispose()
    {
        _file.Dispose();
        _owner.Dispose();
    }

    // A record that a crash cut short was never answered with Fresh.
    private void Load()
    {
        var whole = _file.Length / RecordSize;
        if (whole > _capacity) throw new FormatException($"{_path} holds {whole} nonces, more than {_capacity}");
        Span<byte> record = stackalloc byte[RecordSize];
        for (var i = 0L; i < whole; i++)
        {
            _file.ReadExactly(record);
            var seconds = BinaryPrimitives.ReadInt64LittleEndian(record[Hash256.Size..]);
            _used[new Hash256(record[..Hash256.Size])] = seconds;
            _latest = Math.Max(_latest, seconds);
        }

        _file.SetLength(whole * RecordSize);
        _file.Position = whole * RecordSize;
    }

    // Forgets what is old enough. The file is replaced as a whole: a crash leaves the old one or the new one.
    private bool MakeRoom(long now)
    {
        var latest = Math.Max(_latest, now);
        var old = _used.Where(entry => entry.Value < latest - _keep).Select(entry => entry.Key).ToArray();
        if (old.Length == 0) return false;
        var next = new FileStream(_path + ".new", FileMode.Create, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            var forgotten = old.ToHashSet();
            foreach (var (name, seconds) in _used.Where(entry => !forgotten.Contains(entry.Key))) next.Write(Record(name, seconds));
            next.Flush(flushToDisk: true);
            File.Move(_path + ".new", _path, overwrite: true);
        }
        catch
        {
            next.Dispose();
            throw;
        }

        _file.Dispose();
        _file = next;
        foreach (var name in old) _used.Remove(name);
        return true;
    }

    private static byte[] Record(in Hash256 name, long seconds)
    {
        var record = new byte[RecordSize];
        name.Bytes.CopyTo(record);
        BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(Hash256.Size), seconds);
        return record;
    }
}
