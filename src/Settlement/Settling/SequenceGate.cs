using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>
/// Closed while the log must not grow: the contract knows more of it than this folder, or other than it; or the folder was
/// restored and nobody has asked the contract yet. A leaf that is given to another statement than the lost log gave it to
/// cannot be repaired. Opened and closed by the settler alone.
/// </summary>
internal sealed class SequenceGate(IDisk disk, string dataFolder)
{
    private readonly string _mark = Path.Combine(dataFolder, RestoredMark);
    private bool _restored = disk.Exists(Path.Combine(dataFolder, RestoredMark));
    private volatile bool _closed = disk.Exists(Path.Combine(dataFolder, RestoredMark));

    /// <summary>The file that restoring leaves: this folder may be older than the contract.</summary>
    public const string RestoredMark = "restored";

    public bool IsClosed => _closed;

    public void Close() => _closed = true;

    /// <summary>The contract knows nothing that this log does not.</summary>
    public void Open()
    {
        if (_restored) disk.Delete(_mark);
        (_restored, _closed) = (false, false);
    }
}
