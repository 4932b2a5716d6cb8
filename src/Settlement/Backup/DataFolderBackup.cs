using System.Globalization;
using System.Security.Cryptography;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Archive;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Settling;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Backup;

/// <summary>What a backup holds, or what was restored from one.</summary>
/// <param name="Journal">The journal's last record in it: every record acknowledged before the backup began is there. Nothing where a backup was restored.</param>
public sealed record BackupReport(int Files, long Bytes, RecordPosition Journal);

/// <summary>Copies of a data folder that can be opened again.</summary>
public static class DataFolderBackup
{
    private static readonly LinuxDisk Disk = new(); // makes folders and files that only their owner may enter

    /// <summary>Makes a data folder out of a backup. The host that opens it signs and sequences nothing before it has asked the contract whether this log has gone on without it.</summary>
    /// <param name="backup">A folder that a backup was written to.</param>
    /// <param name="folder">Absent or empty.</param>
    /// <exception cref="IOException">The folder is not empty, or the disk refused.</exception>
    /// <exception cref="FormatException">The backup is not whole, or a file of it is not what was backed up.</exception>
    public static BackupReport Restore(string backup, string folder)
    {
        var list = Path.Combine(backup, BackupManifest.Name);
        if (!File.Exists(list)) throw new FormatException($"{backup} is not a whole backup: {BackupManifest.Name} is missing");
        var files = BackupManifest.Read(File.ReadAllText(list));
        BeginFolder(folder);
        long bytes = 0;
        foreach (var (path, digest) in files)
        {
            using var source = File.OpenRead(Path.Combine(backup, path));
            if (Copy(source, source.Length, folder, path) != digest) throw new FormatException($"{path} in {backup} is not what was backed up; nothing is usable of {folder}");
            bytes += source.Length;
        }

        File.WriteAllText(Path.Combine(folder, SequenceGate.RestoredMark), "");
        SyncFolders(folder);
        return new(files.Count, bytes, default);
    }

    /// <summary>Copies a folder that is in use. Order matters: the log's checkpoint before its tiles, snapshot and archive before the journal, which knows all that they know.</summary>
    internal static BackupReport Write(string data, string target, IReadOnlyList<string> alsoFolders, SettlementState state, Keeper keeper, DateTimeOffset now)
    {
        BeginFolder(target);
        var (files, bytes) = (new List<(string, Hash256)>(), 0L);
        void Take(string path, long? length = null)
        {
            using var source = File.OpenRead(Path.Combine(data, path));
            files.Add((path, Copy(source, length ?? source.Length, target, path)));
            bytes += length ?? source.Length;
        }

        foreach (var folder in alsoFolders)
            foreach (var path in FilesOf(data, folder)) Take(path);
        if (File.Exists(Path.Combine(data, "log", "checkpoint"))) Take("log/checkpoint");
        foreach (var path in FilesOf(data, "log"))
        {
            if (path == "log/checkpoint" || path.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal)) continue;
            try
            {
                Take(path);
            }
            catch (Exception gone) when (gone is FileNotFoundException or DirectoryNotFoundException)
            {
                // A partial tile whose full one has come meanwhile.
            }
        }

        RecordPosition end = default;
        keeper.WhileStill(() =>
        {
            foreach (var path in FilesOf(data, "archive").Where(path => !path.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal))) Take(path);
            end = state.Locked(view => view.Applied);
            foreach (var path in FilesOf(data, "outbox"))
            {
                if (path.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal) || path.EndsWith(".lock", StringComparison.Ordinal)) continue;
                if (SegmentFolder.NumberOf(Path.GetFileName(path)) is not { } number || number < end.Segment) Take(path);
                else if (number == end.Segment) Take(path, SegmentEnd(Path.Combine(data, path), end));
            }
        });

        var remark = string.Create(CultureInfo.InvariantCulture, $"{now:yyyy-MM-ddTHH:mm:ssZ}, {end}");
        var manifest = System.Text.Encoding.UTF8.GetBytes(BackupManifest.Write(files, remark));
        using (var source = new MemoryStream(manifest)) Copy(source, manifest.Length, target, BackupManifest.Name);
        SyncFolders(target);
        return new(files.Count, bytes, end);
    }

    private static void BeginFolder(string folder)
    {
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()) throw new IOException($"{folder} is not empty: nothing is written over what is there");
        Disk.CreateFolder(Path.GetFullPath(folder));
    }

    private static IEnumerable<string> FilesOf(string data, string folder) => Directory.Exists(Path.Combine(data, folder))
        ? Directory.EnumerateFiles(Path.Combine(data, folder), "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(data, path)).Order(StringComparer.Ordinal).ToArray()
        : [];

    // Behind the last applied record a group may be half written.
    private static long SegmentEnd(string path, RecordPosition last)
    {
        using var file = File.OpenRead(path);
        file.Position = last.Offset;
        Span<byte> length = stackalloc byte[4];
        file.ReadExactly(length);
        return last.Offset + Frame.SizeOf(System.Buffers.Binary.BinaryPrimitives.ReadInt32LittleEndian(length));
    }

    private static Hash256 Copy(Stream source, long length, string folder, string path)
    {
        var target = Path.GetFullPath(path, folder);
        Disk.CreateFolder(Path.GetDirectoryName(target)!);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var file = Disk.Open(target, create: true);
        var buffer = new byte[1 << 20];
        for (long done = 0; done < length;)
        {
            var read = source.Read(buffer, 0, (int)Math.Min(buffer.Length, length - done));
            if (read == 0) throw new IOException($"{path} became shorter while it was copied");
            hash.AppendData(buffer.AsSpan(0, read));
            file.Write(buffer.AsSpan(0, read), done);
            done += read;
        }

        file.Sync();
        return new Hash256(hash.GetHashAndReset());
    }

    private static void SyncFolders(string folder)
    {
        foreach (var inner in Directory.EnumerateDirectories(folder, "*", SearchOption.AllDirectories)) Disk.SyncFolder(inner);
        Disk.SyncFolder(folder);
    }
}
