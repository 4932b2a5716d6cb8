using System.CommandLine;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>Options that several commands share, so that they read the same everywhere.</summary>
internal static class CommonOptions
{
    public static Option<Uri> Url() => new("--url")
    {
        Description = "Address of a running host",
        DefaultValueFactory = _ => new Uri("http://127.0.0.1:8080/"),
    };

    public static Option<string?> ApiKeyFile() => new("--api-key-file") { Description = "File with the API key that the host asks for" };

    public static Option<string?> Config() => new("--config") { Description = "Configuration file (docs/configuration.md)" };

    public static Option<string[]> Set() => new("--set")
    {
        Description = "One setting over file and environment, for example --set http.listen=http://127.0.0.1:9000; may be repeated",
        DefaultValueFactory = _ => [],
    };

    public static Option<double> TimeoutSeconds(double seconds) => new("--timeout")
    {
        Description = "Seconds to wait",
        DefaultValueFactory = _ => seconds,
    };
}
