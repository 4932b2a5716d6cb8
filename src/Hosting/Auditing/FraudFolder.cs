using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Hosting.Auditing;

/// <summary>
/// Fraud bundles as files, one per disputed row. A file is whole or not there; one that is written again after a crash is
/// replaced by its equal. Closed to others: a bundle holds the request's input.
/// </summary>
public sealed class FraudFolder(string path)
{
    public const string Ending = ".ogf";

    /// <summary>The file of a row; it may not be there.</summary>
    public static string NameOf(ulong leaf, uint row) => $"{leaf}-{row}{Ending}";

    /// <summary>Writes a bundle and returns its file's name within the folder.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public string Write(FraudBundle bundle, ulong leaf, uint row)
    {
        if (!Directory.Exists(path))
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
            else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        var name = NameOf(leaf, row);
        var beside = Path.Combine(path, name + ".new");
        using (var file = new FileStream(beside, Options))
        {
            file.Write(bundle.Encode());
            file.Flush(flushToDisk: true);
        }

        File.Move(beside, Path.Combine(path, name), overwrite: true);
        return name;
    }

    /// <summary>Names of the bundles that are there.</summary>
    public IReadOnlyList<string> Names() => Directory.Exists(path) ? [.. Directory.EnumerateFiles(path, "*" + Ending).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)] : [];

    private static FileStreamOptions Options => OperatingSystem.IsWindows()
        ? new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write }
        : new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
}
