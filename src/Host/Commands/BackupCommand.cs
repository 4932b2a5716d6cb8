using System.CommandLine;
using OpenGradient.Engine.Host.Client;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og backup FOLDER</c>: a running host copies its data folder.</summary>
internal static class BackupCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "Where to, on the host's machine: absent or empty" };
        var url = CommonOptions.Address("--operator-url", "Address of the running host's operator listener", "http://127.0.0.1:8081/");
        var command = new Command("backup", "Have a running host copy its data folder, keys included, while it serves") { folder, url };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = HostClient.Connect(parsed.GetValue(url)!, null);
            using var report = await client.BackUp(Path.GetFullPath(parsed.GetValue(folder)!), cancellation);
            var root = report.RootElement;
            Console.WriteLine($"{root.GetProperty("folder").GetString()}: {root.GetProperty("files").GetInt32()} files, {root.GetProperty("bytes").GetInt64()} bytes, journal up to {root.GetProperty("journal").GetString()}");
            Console.WriteLine("it holds the keys: keep it as closed as the data folder");
            return ExitCodes.Ok;
        });
        return command;
    }
}
