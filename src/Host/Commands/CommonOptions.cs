using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>Options that several commands share, so that they read the same everywhere.</summary>
internal static class CommonOptions
{
    public static Option<Uri> Url() => Address("--url", "Address of a running host", "http://127.0.0.1:8080/");

    /// <summary>An option that holds an http or https address.</summary>
    public static Option<Uri> Address(string name, string description, string preset) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => new Uri(preset),
        CustomParser = Parse,
    };

    /// <summary>The same without a preset.</summary>
    public static Option<Uri?> Address(string name, string description) => new(name) { Description = description, CustomParser = Parse };

    public static Option<string?> ApiKeyFile() => new("--api-key-file") { Description = "File with the API key that the host asks for" };

    public static Option<string?> Config() => new("--config") { Description = "Configuration file (docs/configuration.md)" };

    public static Option<string[]> Set() => new("--set")
    {
        Description = "One setting over file and environment, for example --set http.listen=http://127.0.0.1:9000; may be repeated",
        DefaultValueFactory = _ => [],
    };

    public static Option<string?> At(string description) => new("--at") { Description = $"{description}. 2026-01-31T12:00:00Z, seconds since 1970, or now" };

    /// <exception cref="FormatException">It is no time, or one without a zone.</exception>
    public static DateTimeOffset? ReadTime(string? text)
    {
        if (text is null) return null;
        if (text == "now") return TimeProvider.System.GetUtcNow();
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds())
            return DateTimeOffset.FromUnixTimeSeconds(seconds);
        // A time without a zone would mean this machine's.
        if (DateTimeOffset.TryParseExact(text, ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFK"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            && (text.EndsWith('Z') || text[^6] is '+' or '-'))
            return time;
        throw new FormatException($"--at '{text}' is neither a time with its zone (2026-01-31T12:00:00Z), nor seconds since 1970, nor now");
    }

    private static Uri Parse(ArgumentResult given)
    {
        var text = given.Tokens[^1].Value;
        if (ConfigurationCheck.Address(text) is { } address) return address;
        given.AddError($"'{text}' is not an http or https address");
        return new Uri("http://invalid/");
    }

    public static Option<double> TimeoutSeconds(double seconds) => new("--timeout")
    {
        Description = "Seconds to wait",
        DefaultValueFactory = _ => seconds,
    };
}
