using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Hosting.Auditing;

/// <summary>
/// Fraud bundles as files, one per disputed row. A file is whole or not there, and durable before the dispute is recorded; one
/// that is written again after a crash is replaced by its equal. Closed to others: a bundle holds the request's input.
/// </summary>
public sealed class FraudFolder(string path)
{
    public const string Ending = ".ogf";

    private readonly LinuxDisk _disk = new();

    /// <summary>The file of a row; it may not be there.</summary>
    public static string NameOf(ulong leaf, uint row) => $"{leaf}-{row}{Ending}";

    /// <summary>Writes a bundle and returns its file's name within the folder.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public string Write(FraudBundle bundle, ulong leaf, uint row)
    {
        _disk.CreateFolder(path);
        var name = NameOf(leaf, row);
        var beside = Path.Combine(path, name + ".new");
        using (var file = _disk.Open(beside, create: true))
        {
            file.Truncate(0);
            file.Write(bundle.Encode(), 0);
            file.Sync();
        }

        _disk.Rename(beside, Path.Combine(path, name));
        _disk.SyncFolder(path);
        return name;
    }
}
