using System.Globalization;
using System.Text;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Backup;

/// <summary>
/// The list of a backup's files, written last, so that a backup without it is not whole. Lines as <c>sha256sum -c</c> reads
/// them; the first is a comment with the version.
/// </summary>
internal static class BackupManifest
{
    public const string Name = "backup.sha256";

    private const string Tag = "# opengradient.engine backup v1";
    private const string Family = "# opengradient.engine backup v";

    public static string Write(IEnumerable<(string Path, Hash256 Digest)> files, string remark)
    {
        var text = new StringBuilder(Tag).Append(", ").Append(remark).Append('\n');
        foreach (var (path, digest) in files) text.Append(CultureInfo.InvariantCulture, $"{digest}  {path}\n");
        return text.ToString();
    }

    /// <exception cref="FormatException">Not such a list, or a newer release's.</exception>
    public static List<(string Path, Hash256 Digest)> Read(string text)
    {
        var lines = text.Split('\n');
        if (!lines[0].StartsWith(Tag + ",", StringComparison.Ordinal))
            throw new FormatException(lines[0].StartsWith(Family, StringComparison.Ordinal) ? "the backup has another format version; use the release that wrote it or a newer one" : $"{Name} is not the list of a backup");
        var files = new List<(string, Hash256)>();
        foreach (var line in lines.Skip(1).Where(line => line.Length > 0))
        {
            if (line.Length < 67 || !Hash256.TryParse(line.AsSpan(0, 64), out var digest) || !line.AsSpan(64, 2).SequenceEqual("  ")) throw new FormatException($"{Name}: malformed line '{line}'");
            var path = line[66..];
            if (Path.IsPathRooted(path) || path.Split('/').Any(part => part is "" or "." or "..")) throw new FormatException($"{Name}: '{path}' is not a path inside the backup");
            files.Add((path, digest));
        }

        return files;
    }
}
