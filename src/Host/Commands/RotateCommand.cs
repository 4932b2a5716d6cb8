using System.CommandLine;
using OpenGradient.Engine.Host.Client;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og rotate</c>: a running host replaces its signing key.</summary>
internal static class RotateCommand
{
    public static Command Create()
    {
        var url = CommonOptions.Address("--operator-url", "Address of the running host's operator listener", "http://127.0.0.1:8081/");
        var command = new Command("rotate", "Have a running host replace its signing key while it serves") { url };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = HostClient.Connect(parsed.GetValue(url)!, null);
            using var report = await client.Rotate(cancellation);
            var root = report.RootElement;
            Console.WriteLine($"epoch {root.GetProperty("number").GetInt64()} signs: {root.GetProperty("id").GetString()}");
            Console.WriteLine($"the key before it is zeroed in {root.GetProperty("overlapSeconds").GetDouble():0.###} s; what it signed stays valid");
            return ExitCodes.Ok;
        });
        return command;
    }
}
