namespace OpenGradient.Engine.Settlement.Archive;

/// <summary>A file of the archive, or a snapshot, cannot be what was written. It is derived from the journal, so it can be made anew while the journal is whole.</summary>
public sealed class ArchiveDamagedException : Exception
{
    public ArchiveDamagedException(string message) : base("archive: " + message) { }

    public ArchiveDamagedException() { }

    public ArchiveDamagedException(string message, Exception innerException) : base("archive: " + message, innerException) { }

    internal static ArchiveDamagedException At(string path, string what) =>
        new($"{path}: {what}; stop the host and delete the folder {Path.GetDirectoryName(path)}: it is made anew from the journal at the next start, unless segments were pruned (restore a backup then)");
}
