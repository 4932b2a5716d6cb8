using System.Text.Json;

namespace OpenGradient.Engine.Host.Protocol;

/// <summary>The request parameters <c>priority</c> and <c>timeout</c>, as Triton's: how a request waits, not what it asks.</summary>
internal static class QueueParameters
{
    // Far beyond any wait that a connection survives, and within what a TimeSpan holds.
    private const ulong MaxMicroseconds = 86_400_000_000;

    /// <summary>1, 2, 3 or high, normal, low; 0 is the default, normal.</summary>
    /// <exception cref="BadRequestException">It is none of these.</exception>
    public static RequestPriority ReadPriority(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType == JsonTokenType.Number && json.TryGetUInt64(out var number))
        {
            return number switch
            {
                0 or 2 => RequestPriority.Normal,
                1 => RequestPriority.High,
                3 => RequestPriority.Low,
                _ => throw NoPriority($"{number}"),
            };
        }

        if (json.TokenType != JsonTokenType.String) throw NoPriority("what is given");
        return json.GetString() switch
        {
            "high" => RequestPriority.High,
            "normal" => RequestPriority.Normal,
            "low" => RequestPriority.Low,
            var other => throw NoPriority($"'{other}'"),
        };
    }

    /// <summary>Microseconds; null for 0, the model's default.</summary>
    /// <exception cref="BadRequestException">It is no such number.</exception>
    public static TimeSpan? ReadTimeout(ref Utf8JsonReader json)
    {
        json.Read();
        if (json.TokenType != JsonTokenType.Number || !json.TryGetUInt64(out var microseconds) || microseconds > MaxMicroseconds)
            throw new BadRequestException($"'timeout' is not a number of microseconds up to {MaxMicroseconds}");
        return microseconds == 0 ? null : TimeSpan.FromMicroseconds(microseconds);
    }

    private static BadRequestException NoPriority(string given) =>
        new($"'priority': {given} is none of 1, 2, 3, high, normal, low, nor 0 for the default");
}
