namespace OpenGradient.Engine.Hosting.Trust;

/// <summary>Vendors' certificates, lists and identities as files. Read whole, each by its name; nothing is fetched.</summary>
public static class CollateralFolder
{
    private const int LargestFile = 1024 * 1024;
    private const int MostFiles = 64;

    /// <summary>A file, or the files of a folder (not those of its folders), by name; of null none.</summary>
    /// <exception cref="FormatException">It cannot be read, or holds more than is allowed.</exception>
    public static IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Read(string? path)
    {
        var collateral = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        if (path is null) return collateral;
        try
        {
            var files = Directory.Exists(path) ? Directory.GetFiles(path) : [path];
            if (files.Length > MostFiles) throw new FormatException($"{path} holds {files.Length} files; {MostFiles} are allowed");
            foreach (var file in files) collateral.Add(Path.GetFileName(file), ReadFile(file, LargestFile));
            return collateral;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"{path}: {error.Message}");
        }
    }

    /// <summary>A file that is not larger than allowed.</summary>
    /// <exception cref="FormatException">It cannot be read, or is larger.</exception>
    public static byte[] ReadFile(string path, int largest)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read);
            if (file.Length > largest) throw new FormatException($"{path} is larger than {largest} bytes");
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new FormatException($"{path}: {error.Message}");
        }
    }
}
