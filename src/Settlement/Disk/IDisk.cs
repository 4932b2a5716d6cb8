namespace OpenGradient.Engine.Settlement.Disk;

/// <summary>
/// The few file operations that durability rests on. <see cref="LinuxDisk"/> is the real one; a simulated one replays
/// crashes and faults from a seed. Every failure is a <see cref="DiskException"/>. Paths are absolute.
/// </summary>
public interface IDisk
{
    /// <summary>Creates the folder and its parents; syncs the parent of each that was new.</summary>
    void CreateFolder(string path);

    bool Exists(string path);

    /// <summary>File names (without folder) in no order; empty when the folder is absent.</summary>
    string[] List(string folder);

    /// <summary>Opens for reading and writing; creates the file when asked.</summary>
    IDiskFile Open(string path, bool create);

    /// <summary>Atomic replacement. Durable only after <see cref="SyncFolder"/>.</summary>
    void Rename(string from, string to);

    void Delete(string path);

    void SyncFolder(string path);

    /// <summary>Takes the exclusive lock of a file for the life of the result; null when another process holds it.</summary>
    IDisposable? TryLock(string path);
}

/// <summary>An open file. Used by one thread at a time, except that <see cref="Read"/> may run beside anything.</summary>
public interface IDiskFile : IDisposable
{
    long Length { get; }

    /// <summary>Reads until the span is full or the file ends; returns the bytes read.</summary>
    int Read(Span<byte> destination, long offset);

    /// <summary>Writes every byte.</summary>
    void Write(ReadOnlySpan<byte> source, long offset);

    /// <summary>Returns when data and length are on stable storage. After a failure nothing about the file's unsynced content is known.</summary>
    void Sync();

    void Truncate(long length);

    /// <summary>Makes the file this long with its space reserved; new bytes read as zero.</summary>
    void Allocate(long length);
}
