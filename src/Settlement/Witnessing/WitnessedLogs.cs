using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Witnessing;

/// <summary>A log that a witness follows.</summary>
/// <param name="Key">Of type <see cref="NoteKeyType.Ed25519"/>; its name is the log's origin.</param>
/// <param name="Url">Where the log is published; null: it submits its checkpoints by itself.</param>
public sealed record WitnessedLog(VerifierKey Key, Uri? Url)
{
    /// <summary>Names the log in paths: SHA-256 of the origin.</summary>
    public string OriginHash => Hash256.Sha256(System.Text.Encoding.UTF8.GetBytes(Key.Name)).ToString();
}

/// <summary>Reads a list of logs: the <c>log VKEY [URL]</c> lines of C2SP tlog-policy.</summary>
public static class WitnessedLogs
{
    /// <exception cref="FormatException">The message names the line.</exception>
    public static IReadOnlyList<WitnessedLog> Parse(string text)
    {
        var logs = new List<WitnessedLog>();
        var number = 0;
        foreach (var line in text.Split('\n'))
        {
            number++;
            var parts = line.Split([' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length == 0 || parts[0].StartsWith('#')) continue;
            if (parts[0] != "log" || parts.Length is < 2 or > 3) throw new FormatException($"line {number}: 'log VKEY [URL]' is expected");
            logs.Add(Log(parts, number));
            if (logs.Take(logs.Count - 1).Any(other => other.Key.Name == logs[^1].Key.Name || other.Key.PublicKey.Span.SequenceEqual(logs[^1].Key.PublicKey.Span)))
                throw new FormatException($"line {number}: this log, or its key, is listed already");
        }

        return logs;
    }

    private static WitnessedLog Log(string[] parts, int number)
    {
        try
        {
            var key = VerifierKey.Parse(parts[1]);
            if (key.Type != NoteKeyType.Ed25519) throw new FormatException("the verifier key is not a log's (type 1)");
            if (parts.Length == 2) return new(key, null);
            return Uri.TryCreate(parts[2], UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? new(key, url) : throw new FormatException($"'{parts[2]}' is not an http or https address");
        }
        catch (FormatException wrong)
        {
            throw new FormatException($"line {number}: {wrong.Message}");
        }
    }
}
