using System.Globalization;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification.Replay;

/// <summary>
/// A fingerprint's options (<c>name=value</c> joined by <c>;</c>, docs/formats.md) read back, and what they ask of an
/// execution. The only place that reads them.
/// </summary>
internal static class SessionOptionsText
{
    // A forged statement can ask for a billion threads; no machine that serves models has more than this.
    private const int MaxThreads = 256;

    /// <summary>The options by name; a part without <c>=</c> is a name with an empty value.</summary>
    public static Dictionary<string, string> Parse(string options)
    {
        var parsed = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in options.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            parsed[equals < 0 ? part : part[..equals]] = equals < 0 ? "" : part[(equals + 1)..];
        }

        return parsed;
    }

    /// <summary><c>fallback</c> says how the provider was chosen; the provider itself is a field of its own.</summary>
    public static bool ChangesBits(string option) => option != "fallback";

    /// <summary>
    /// What to ask the backend for so that it executes as stated. Asking is not getting: the opened model's own fingerprint
    /// says what executes, and is compared.
    /// </summary>
    public static ExecutionOptions ExecutionOf(RuntimeFingerprint stated) => new()
    {
        Device = stated.Provider == "cuda" ? ExecutionDevice.Cuda : ExecutionDevice.Cpu,
        // Where the device is missing the row can still be compared within a tolerance, and the fingerprint says why not more.
        AllowCpuFallback = true,
        IntraOpThreads = Parse(stated.Options).TryGetValue("intra", out var text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var threads)
            ? Math.Clamp(threads, 1, MaxThreads) : 1,
    };
}
