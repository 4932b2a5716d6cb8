using System.Text;
using OpenGradient.Engine.Attestation.Verification.History;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>Files of <c>og evidence</c>. What cannot be read is a question that could not be asked (exit code 2).</summary>
internal static class EvidenceFiles
{
    private const int LargestCollateral = 1024 * 1024;
    private const int MostCollateral = 64;
    private const int LargestHistory = 4 * 1024 * 1024;

    /// <exception cref="FormatException">It cannot be read, or is larger.</exception>
    public static byte[] Read(string path, int largest) => Try(path, () =>
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read);
        if (file.Length > largest) throw new FormatException($"{path} is larger than {largest} bytes");
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    });

    public static void Write(string path, byte[] content) => Try(path, () =>
    {
        File.WriteAllBytes(path, content);
        return true;
    });

    /// <summary>A file, or the files of a folder (not those of its folders), by name.</summary>
    public static IReadOnlyDictionary<string, ReadOnlyMemory<byte>> ReadCollateral(string? path)
    {
        var collateral = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        if (path is null) return collateral;
        var files = Directory.Exists(path) ? Try(path, () => Directory.GetFiles(path)) : [path];
        if (files.Length > MostCollateral) throw new FormatException($"{path} holds {files.Length} files; {MostCollateral} are allowed");
        foreach (var file in files) collateral.Add(Path.GetFileName(file), Read(file, LargestCollateral));
        return collateral;
    }

    /// <summary>Empty where there is no such file yet.</summary>
    public static CollateralLedger ReadHistory(string path) => File.Exists(path) ? CollateralLedger.Load(Encoding.UTF8.GetString(Read(path, LargestHistory))) : new CollateralLedger();

    public static void WriteHistory(string path, CollateralLedger history) => Try(path, () =>
    {
        using (var file = new FileStream(path + ".new", FileMode.Create, FileAccess.Write))
        {
            file.Write(Encoding.UTF8.GetBytes(history.Save()));
            file.Flush(flushToDisk: true);
        }

        File.Move(path + ".new", path, overwrite: true);
        return true;
    });

    public static NonceUse UseNonce(string path, ReadOnlyMemory<byte> nonce, DateTimeOffset at) => Try(path, () =>
    {
        using var ledger = NonceLedger.Open(path);
        return ledger.Use(nonce.Span, at);
    });

    private static T Try<T>(string path, Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new FormatException($"{path}: {error.Message}");
        }
    }
}
