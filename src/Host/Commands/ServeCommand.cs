using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Live;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Host.Server;
using OpenGradient.Engine.Host.Telemetry;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Hosting.LanguageModels;
using OpenGradient.Engine.Hosting.Sharing;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og serve</c>: the whole house, until it is asked to stop.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var config = CommonOptions.Config();
        var set = CommonOptions.Set();
        var roles = new Option<string?>("--roles") { Description = "What this process does: any of engine, verifier and settler, joined by commas; all by default (docs/scale-out.md)" };
        var command = new Command("serve", "Serve models over HTTP and settle their receipts, until SIGTERM or Ctrl-C") { config, set, roles };
        command.SetAction(async (parsed, cancellation) =>
        {
            string[] chosen = parsed.GetValue(roles) is { } named ? [RolesSetting(named)] : [];
            var configuration = ConfigurationLoader.Load(parsed.GetValue(config), Environment.GetEnvironmentVariables(), [.. parsed.GetValue(set)!, .. chosen]);
            return configuration.Roles.Contains("engine") ? await Serve(configuration, cancellation) : await Work(configuration, cancellation);
        });
        return command;
    }

    private static string RolesSetting(string named) =>
        $"roles={JsonSerializer.Serialize(named.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries), RolesJson.Default.StringArray)}";

    private static async Task<int> Work(HostConfiguration configuration, CancellationToken cancellation)
    {
        await using var host = await WorkerHost.Start(configuration, TimeProvider.System);
        using var export = OtlpExport.Start(configuration);
        await using var app = WorkerServer.Build(host);
        if (app is not null) await app.StartAsync(cancellation);
        Console.WriteLine($"og {BuildInfo.Version} works as {string.Join(" and ", host.Workers.Select(worker => worker.Name))} for every engine of its database");
        if (app is not null) Console.WriteLine($"operator's listener {configuration.OperatorListen}");
        await Task.WhenAny(Task.Delay(Timeout.Infinite, cancellation), host.Running);
        if (app is not null) await app.StopAsync(CancellationToken.None);
        if (!host.Running.IsFaulted) return ExitCodes.Ok;
        Console.Error.WriteLine($"error: the worker has stopped: {host.Running.Exception!.GetBaseException().Message}");
        return ExitCodes.Failed;
    }

    private static async Task<int> Serve(HostConfiguration configuration, CancellationToken cancellation)
    {
        await using var host = await EngineHost.Start(configuration, TimeProvider.System, new LoadingLines(), cancellation);
        using var export = OtlpExport.Start(configuration);
        var drain = new Drain(TimeSpan.FromMilliseconds(configuration.Http.DrainDelayMs), TimeProvider.System);
        await using var app = HttpServer.Build(host, drain, TimeProvider.System);
        host.ModelDemoted += demotion => Console.Error.WriteLine($"warning: model {demotion.Model} {demotion.Version}: {demotion.Reason}");
        if (host.Audit is { } audit) audit.Warned += warning => Console.Error.WriteLine($"warning: audit: {warning}");
        host.Rotation.Rotated += (reason, begun) => Console.WriteLine($"epoch {begun.Number} signs from now on ({reason.ToString().ToLowerInvariant()}): {begun.Epoch.Id}");
        await app.StartAsync(cancellation);
        Console.WriteLine($"og {BuildInfo.Version} serves {string.Join(", ", host.Engine.Models.Select(model => model.Name).Concat(host.LanguageModels.All.Select(model => model.Name)))} on {configuration.Http.Listen}");
        foreach (var model in host.Engine.Models)
            Console.WriteLine($"model {model.Name} {model.Version}: determinism class {model.Probe?.ToString() ?? $"{model.Context.Determinism}, on the operator's word"}");
        foreach (var model in host.LanguageModels.All)
        {
            var info = model.Info;
            Console.WriteLine($"language model {model.Name} {model.Version}: {info.Architecture}, {info.Runtime.Backend} {info.Runtime.Precision} on {info.Runtime.Device}, context {info.ContextLength}, {info.Pages * info.PageBytes >> 20} MiB of cache, {(model.Template is null ? "completes" : "chats")}");
        }

        Console.WriteLine($"log {host.LogId}, epoch {host.Epoch.Epoch.Id}; evidence: {EvidenceLine(host)}");
        Console.WriteLine($"log verifier key {host.LogVerifierKey}");
        Console.WriteLine($"onnx runtime {host.Runtime.Version} ({host.Runtime.InstructionSet}) from {host.Runtime.Path}");

        // A settler that has stopped for good stops the host: serving on would promise what nobody keeps.
        var asked = Task.Delay(Timeout.Infinite, cancellation);
        await Task.WhenAny(asked, host.Settlement is null ? asked : host.Settling);

        // Not ready first, closed then, and only after that does the server end its connections; the engine goes last.
        await drain.Begin();
        await app.StopAsync(CancellationToken.None);
        if (!host.Settling.IsFaulted) return ExitCodes.Ok;
        Console.Error.WriteLine($"error: settlement has stopped: {host.Settling.Exception!.GetBaseException().Message}");
        return ExitCodes.Failed;
    }

    private static string EvidenceLine(EngineHost host)
    {
        var judged = host.Attester.Judge(host.Epoch.Epoch, host.Clock.GetUtcNow());
        return judged.Evidence.Kind == EvidenceKind.Software
            ? "software, development only, NOT trusted"
            : $"{ReceiptJson.KindName(judged.Evidence.Kind)}, {EvidenceJson.Verdict(judged, host.Attester.Mock)}";
    }

    /// <summary>To the error stream: the first line of the output is for those who wait for the host.</summary>
    private sealed class LoadingLines : IProgress<LanguageModelProgress>
    {
        // Every tenth is often enough to see that it moves.
        private const int Step = 10;

        private string _folder = "";
        private int _told = -1;

        public void Report(LanguageModelProgress value)
        {
            if (_folder != value.Folder) (_folder, _told) = (value.Folder, -1);
            if (value.Percent / Step <= _told) return;
            _told = value.Percent / Step;
            Console.Error.WriteLine($"loading language model {value.Folder}: {value.Percent}% of {value.TotalBytes >> 20} MiB");
        }
    }
}

[JsonSerializable(typeof(string[]))]
internal sealed partial class RolesJson : JsonSerializerContext;
