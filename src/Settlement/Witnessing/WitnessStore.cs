using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Witnessing;

/// <summary>
/// What a witness keeps: for each log the checkpoint that it cosigned last, as the note itself. A file is the old note or
/// the new one after any crash, and the new one before anybody hears of it. One process at a time.
/// </summary>
internal sealed class WitnessStore : IDisposable
{
    private const string LockName = "witness.lock";

    /// <summary>Refused checkpoints that are kept as evidence. 1,000: a log that misbehaves so often has been noticed.</summary>
    private const int MaxRefused = 1000;

    private readonly IDisk _disk;
    private readonly string _logs;
    private readonly string _refused;
    private readonly IDisposable _lock;

    public WitnessStore(IDisk disk, string folder)
    {
        (_disk, _logs, _refused) = (disk, Path.Combine(folder, "logs"), Path.Combine(folder, "refused"));
        disk.CreateFolder(_logs);
        disk.CreateFolder(_refused);
        _lock = disk.TryLock(Path.Combine(folder, LockName)) ?? throw new OutboxLockedException(folder);
    }

    /// <summary>The note that was cosigned last; null: none ever was.</summary>
    public byte[]? Read(WitnessedLog log) => AtomicFile.Read(_disk, PathOf(log), CheckpointNote.MaxSize);

    /// <summary>Returns when the note is on stable storage.</summary>
    public void Write(WitnessedLog log, ReadOnlySpan<byte> note)
    {
        AtomicFile.Write(_disk, PathOf(log), note);
        _disk.SyncFolder(_logs);
    }

    /// <summary>Keeps a checkpoint that the log signed and that does not fit what it signed before: evidence. Null when there is no room.</summary>
    public string? KeepRefused(WitnessedLog log, CheckpointNote refused, ReadOnlySpan<byte> note)
    {
        var path = Path.Combine(_refused, $"{log.OriginHash[..16]}-{refused.Size}-{refused.Root.ToString()[..16]}");
        if (_disk.Exists(path)) return path;
        if (_disk.List(_refused).Length >= MaxRefused) return null;
        AtomicFile.Write(_disk, path, note);
        _disk.SyncFolder(_refused);
        return path;
    }

    public string PathOf(WitnessedLog log) => Path.Combine(_logs, log.OriginHash);

    public void Dispose() => _lock.Dispose();
}
