using System.Text;
using OpenGradient.Engine.Attestation.Verification.History;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Trust;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>Files of <c>og evidence</c>. What cannot be read is a question that could not be asked (exit code 2).</summary>
internal static class EvidenceFiles
{
    private const int LargestHistory = 4 * 1024 * 1024;

    /// <exception cref="FormatException">It cannot be read, or is larger.</exception>
    public static byte[] Read(string path, int largest) => CollateralFolder.ReadFile(path, largest);

    /// <summary>The envelope that holds evidence and what it binds; null when the bytes begin otherwise.</summary>
    /// <exception cref="FormatException">They begin like one, and are none.</exception>
    public static Evidence? Envelope(byte[] bytes) => bytes.AsSpan().StartsWith("OGE evidence v1"u8) ? Evidence.Decode(bytes) : null;

    public static void Write(string path, byte[] content) => Try(path, () =>
    {
        File.WriteAllBytes(path, content);
        return true;
    });

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
