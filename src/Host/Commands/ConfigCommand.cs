using System.CommandLine;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og config check</c>.</summary>
internal static class ConfigCommand
{
    public static Command Create()
    {
        var config = CommonOptions.Config();
        var set = CommonOptions.Set();
        var check = new Command("check", "Read and check a configuration without starting anything") { config, set };
        check.SetAction(parsed =>
        {
            var configuration = ConfigurationLoader.Load(parsed.GetValue(config), Environment.GetEnvironmentVariables(), parsed.GetValue(set)!);
            Console.WriteLine($"the configuration is sound: {configuration.Models.Count} models, data in {configuration.Data}, http on {configuration.Http.Listen}");
            return ExitCodes.Ok;
        });
        return new Command("config", "Look into configuration files") { check };
    }
}
