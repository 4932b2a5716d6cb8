namespace OpenGradient.Engine.LanguageModels.Constraints.Schemas;

/// <summary>Formats that are enforced, as patterns: those that .NET's parsers then read (RFC 3339, RFC 9562, RFC 2673). Others are annotations.</summary>
internal static class StringFormats
{
    private const string Year = "(?:000[1-9]|00[1-9]\\d|0[1-9]\\d\\d|[1-9]\\d{3})";
    private const string LeapYear = "(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)";
    private const string Date =
        "(?:" + Year + "-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))|" + LeapYear + "-02-29)";

    // No leap seconds, and offsets of at most 14 hours: what a DateTimeOffset can be.
    private const string Clock = "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,7})?";
    private const string Offset = "(?:Z|[+\\-](?:(?:0\\d|1[0-3]):[0-5]\\d|14:00))";
    private const string Byte = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";

    /// <summary>Null for a format that is not enforced.</summary>
    public static string? PatternOf(string format) => format switch
    {
        "date" => $"^{Date}$",
        "time" => $"^{Clock}{Offset}$",
        // Not on the first or last day of the calendar, where an offset would lead out of it.
        "date-time" => $"^(?:000[2-9]|00[1-9]\\d|0[1-9]\\d\\d|[1-8]\\d{{3}}|9[0-8]\\d\\d|99[0-8]\\d|999[0-8])-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))T{Clock}{Offset}$",
        "uuid" => "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
        "ipv4" => $"^(?:{Byte}\\.){{3}}{Byte}$",
        _ => null,
    };
}
