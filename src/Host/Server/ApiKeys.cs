using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace OpenGradient.Engine.Host.Server;

/// <summary>
/// The keys that may call, and how often each has. Only digests are kept; a key is compared by its digest in constant time
/// and never appears in a log or an error.
/// </summary>
public sealed class ApiKeys
{
    private const string DigestPrefix = "sha256:";
    private readonly byte[][] _digests;
    private readonly string[] _callers;
    private readonly int _perMinute;
    private readonly TimeProvider _clock;

    // Owned here; one window per key, so its size is the number of keys.
    private readonly ConcurrentDictionary<int, Window> _windows = new();

    private ApiKeys(byte[][] digests, int perMinute, TimeProvider clock)
    {
        (_digests, _perMinute, _clock) = (digests, perMinute, clock);
        // The same key in two entries has one identity: that of the last, which Find gives.
        _callers = [.. Enumerable.Range(1, digests.Length).Select(number => $"key {number}")];
    }

    /// <exception cref="IOException">The file cannot be read, holds no key, or is readable by others.</exception>
    public static ApiKeys Read(string file, int perMinute, TimeProvider clock)
    {
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0)
            throw new IOException($"API key file '{file}' can be read or written by others than its owner; set its mode to 600");
        var digests = File.ReadLines(file)
            .Select(line => line.Trim())
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select((line, index) => Digest(line, index, file))
            .ToArray();
        return digests.Length > 0 ? new ApiKeys(digests, perMinute, clock) : throw new IOException($"API key file '{file}' holds no key");
    }

    /// <summary>The index of the key, or null when it is not one of ours.</summary>
    public int? Find(string? presented)
    {
        if (string.IsNullOrEmpty(presented)) return null;
        Span<byte> digest = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(presented), digest);
        int? found = null;
        for (var i = 0; i < _digests.Length; i++)
            if (CryptographicOperations.FixedTimeEquals(digest, _digests[i])) found = i;
        return found;
    }

    /// <summary>What the engine and its messages call the holder of a key: the entry's number in the file, never anything of the key.</summary>
    public string CallerOf(int key) => _callers[key];

    /// <summary>Counts one request of a key; returns how long to wait when its minute is used up.</summary>
    public TimeSpan? Count(int key)
    {
        if (_perMinute == 0) return null;
        var window = _windows.GetOrAdd(key, _ => new Window());
        lock (window)
        {
            var now = _clock.GetUtcNow();
            if (now - window.Start >= TimeSpan.FromMinutes(1)) (window.Start, window.Used) = (now, 0);
            return ++window.Used > _perMinute ? window.Start + TimeSpan.FromMinutes(1) - now : null;
        }
    }

    private static byte[] Digest(string line, int index, string file)
    {
        if (!line.StartsWith(DigestPrefix, StringComparison.Ordinal)) return SHA256.HashData(Encoding.UTF8.GetBytes(line));
        var digest = new byte[32];
        return Convert.FromHexString(line.AsSpan(DigestPrefix.Length), digest, out _, out var written) == System.Buffers.OperationStatus.Done && written == 32
            ? digest
            : throw new IOException($"API key file '{file}': entry {index + 1} is not sha256: and 64 hexadecimal digits");
    }

    private sealed class Window
    {
        public DateTimeOffset Start;
        public int Used;
    }
}
