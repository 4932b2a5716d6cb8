namespace OpenGradient.Engine.Settlement.Disk;

/// <summary>Whole files that are either the old or the new one after any crash.</summary>
internal static class AtomicFile
{
    public const string TemporarySuffix = ".new";

    /// <summary>Writes beside, syncs, renames. The name is durable after the caller has synced the folder.</summary>
    public static void Write(IDisk disk, string path, ReadOnlySpan<byte> content)
    {
        var beside = path + TemporarySuffix;
        using (var file = disk.Open(beside, create: true))
        {
            file.Truncate(0);
            file.Write(content, 0);
            file.Sync();
        }

        disk.Rename(beside, path);
    }

    /// <summary>The whole file, or null when it is absent. Longer files than <paramref name="limit"/> are refused.</summary>
    public static byte[]? Read(IDisk disk, string path, int limit)
    {
        if (!disk.Exists(path)) return null;
        using var file = disk.Open(path, create: false);
        var length = file.Length;
        if (length > limit) throw new DiskException($"{path}: {length} bytes, more than the {limit} expected");
        var content = new byte[length];
        var read = file.Read(content, 0);
        return read == length ? content : content[..read];
    }
}
