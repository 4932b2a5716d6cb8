using System.CommandLine;
using System.CommandLine.Parsing;
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
