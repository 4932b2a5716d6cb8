using System.CommandLine;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Settlement.Backup;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og repair</c>: brings a data folder that fell behind the contract up to what was published, or begins a new log.</summary>
internal static class RepairCommand
{
    private const int MaxFile = 64 << 20;

    public static Command Create()
    {
        var config = CommonOptions.Config();
        var set = CommonOptions.Set();
        var from = new Option<string?>("--from") { Description = "Copy of the published log: a folder, or the address that serves it (…/log/)" };
        var newLog = new Option<bool>("--new-log") { Description = "Put the old log and its key aside and begin a new one at the next start" };
        var command = new Command("repair", "Repair the data folder of a stopped host whose log is behind the contract") { config, set, from, newLog };
        command.SetAction(async (parsed, cancellation) =>
        {
            var configuration = ConfigurationLoader.Load(parsed.GetValue(config), Environment.GetEnvironmentVariables(), parsed.GetValue(set)!);
            var source = parsed.GetValue(from);
            if (source is null == !parsed.GetValue(newLog)) throw new ConfigurationException(["repair: either --from SOURCE or --new-log"]);
            return source is null ? PutAside(configuration) : await Fetch(configuration, source, cancellation);
        });
        return command;
    }

    private static async Task<int> Fetch(HostConfiguration configuration, string source, CancellationToken cancellation)
    {
        using var http = new HttpClient { MaxResponseContentBufferSize = MaxFile };
        var report = await DataFolderRepair.FetchAsync(configuration, path => Read(http, source, path), TimeProvider.System, cancellation);
        Console.WriteLine($"the log had {report.Before} statements and has {report.After}: as much as the source published");
        Console.WriteLine($"{report.ReceiptsWithoutIds} receipts came back by their statements; they are known by id again once their holders submit them (og submit)");
        Console.WriteLine("what came back is anchored already, and final here again with the next new statement's anchor");
        Console.WriteLine("lost with the old disk: statements that were durable there and not yet published; their holders can submit their receipts");
        return ExitCodes.Ok;
    }

    private static int PutAside(HostConfiguration configuration)
    {
        var (aside, statements, final) = DataFolderRepair.PutAside(configuration, TimeProvider.System);
        Console.WriteLine($"{aside}: the old log, its journal and its key ({statements} statements, {final} of them in final anchors)");
        Console.WriteLine("the next start begins a new log with a new identity: trust files and witnesses must be told");
        Console.WriteLine("receipts of the old log stay provable by bundles that their holders have; this host no longer answers for them, and what was not final there never will be");
        return ExitCodes.Ok;
    }

    private static byte[]? Read(HttpClient http, string source, string path)
    {
        if (ConfigurationCheck.Address(source) is not { } address)
        {
            var file = Path.Combine(source, path);
            return File.Exists(file) ? File.ReadAllBytes(file) : null;
        }

        using var response = http.Send(new HttpRequestMessage(HttpMethod.Get, new Uri(new Uri(address.ToString().TrimEnd('/') + "/"), path)));
        if (response.StatusCode == System.Net.HttpStatusCode.NotFound) return null;
        response.EnsureSuccessStatusCode();
        using var body = new MemoryStream();
        response.Content.CopyTo(body, null, default);
        return body.ToArray();
    }
}
