using System.CommandLine;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Server;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Log;
using OpenGradient.Engine.Settlement.Witnessing;

namespace OpenGradient.Engine.Host.Commands;

/// <summary><c>og witness</c>: cosigns checkpoints of the logs it is told to watch, each only if it extends the one before.</summary>
internal static class WitnessCommand
{
    // A log is looked at over a network that is somebody else's.
    private static readonly TimeSpan FetchTimeout = TimeSpan.FromSeconds(10);

    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "The witness's folder: its key and what it cosigned last", DefaultValueFactory = _ => "witness" };
        var name = new Option<string>("--name") { Description = "The witness's name, best a host name with a path; part of its verifier key for ever", Required = true };
        var command = new Command("witness", "Cosign checkpoints of transparency logs, as C2SP tlog-witness describes") { Run(data, name), Key(data, name) };
        return command;
    }

    private static Command Key(Option<string> data, Option<string> name)
    {
        var command = new Command("key", "Print the witness's verifier key; makes the key on first use") { data, name };
        command.SetAction(parsed =>
        {
            var shim = AttestationShim.Load();
            using var key = OpenKey(shim, Folder(parsed.GetValue(data)!));
            Console.WriteLine(KeyOf(key, parsed.GetValue(name)!));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command Run(Option<string> data, Option<string> name)
    {
        var logs = new Option<string>("--logs") { Description = "File with one 'log VKEY [URL]' per line; a log with a URL is followed, any may submit", Required = true };
        var listen = CommonOptions.Address("--listen", "Where add-checkpoint is served", "http://127.0.0.1:8090/");
        var interval = new Option<double>("--interval") { Description = "Seconds between two looks at a followed log", DefaultValueFactory = _ => 10 };
        var once = new Option<bool>("--once") { Description = "Look at each followed log once and end; serves nothing" };
        var command = new Command("run", "Follow logs and answer submissions until SIGTERM or Ctrl-C") { data, name, logs, listen, interval, once };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(interval) is not (>= 0.1 and <= 86_400)) throw new FormatException("--interval: between 0.1 and 86,400 seconds");
            var address = parsed.GetValue(listen)!;
            if (address.Scheme != "http" || (address.Host != "localhost" && !System.Net.IPAddress.TryParse(address.Host.Trim('[', ']'), out _)))
                throw new FormatException($"--listen: '{address}' is not http with an IP address or localhost; put TLS in front of it");
            var shim = AttestationShim.Load();
            var folder = Folder(parsed.GetValue(data)!);
            using var key = OpenKey(shim, folder);
            using var witness = Witness.Open(new WitnessParts
            {
                Name = parsed.GetValue(name)!, Key = key, Signatures = new NativeSignatures(shim), Folder = folder, Logs = ReadLogs(parsed.GetValue(logs)!),
            });
            using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Timeout.InfiniteTimeSpan };
            var followers = witness.Logs.Where(log => log.Url is not null)
                .Select(log => (Log: log, Follower: new LogFollower(witness, log, new HttpLogFiles(http, log.Url!, FetchTimeout)))).ToArray();
            return parsed.GetValue(once)
                ? await LookOnce(followers, cancellation)
                : await Serve(witness, followers, address, TimeSpan.FromSeconds(parsed.GetValue(interval)), cancellation);
        });
        return command;
    }

    private static async Task<int> LookOnce((WitnessedLog Log, LogFollower Follower)[] followers, CancellationToken cancellation)
    {
        if (followers.Length == 0) throw new FormatException("--once: no log in the list has a URL");
        var code = ExitCodes.Ok;
        foreach (var (log, follower) in followers)
        {
            var outcome = await follower.LookAsync(cancellation);
            Print(log, outcome);
            if (outcome.Status is FollowStatus.Inconsistent or FollowStatus.Refused) code = ExitCodes.Failed;
            else if (outcome.Status == FollowStatus.Unreachable && code == ExitCodes.Ok) code = ExitCodes.Unavailable;
        }

        return code;
    }

    private static async Task<int> Serve(Witness witness, (WitnessedLog Log, LogFollower Follower)[] followers, Uri listen, TimeSpan interval, CancellationToken cancellation)
    {
        await using var app = WitnessServer.Build(witness, listen);
        await app.StartAsync(cancellation);
        Console.WriteLine($"witness {witness.Key}");
        Console.WriteLine($"knows {witness.Logs.Count} logs, follows {followers.Length}; add-checkpoint on {listen}");
        try
        {
            await Task.WhenAll([Task.Delay(Timeout.Infinite, cancellation), .. followers.Select(each => Follow(each.Log, each.Follower, interval, cancellation))]);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Asked to stop.
        }

        await app.StopAsync(CancellationToken.None);
        return ExitCodes.Ok;
    }

    private static async Task Follow(WitnessedLog log, LogFollower follower, TimeSpan interval, CancellationToken cancellation)
    {
        FollowOutcome? last = null;
        while (true)
        {
            var outcome = await follower.LookAsync(cancellation);
            if (outcome.Status != FollowStatus.Unchanged && outcome != last) Print(log, outcome);
            last = outcome;
            await Task.Delay(interval, cancellation);
        }
    }

    private static void Print(WitnessedLog log, FollowOutcome outcome)
    {
        var line = $"{log.Key.Name}: {outcome.Status.ToString().ToLowerInvariant()} size {outcome.Size}{(outcome.Detail.Length == 0 ? "" : ": " + outcome.Detail)}";
        if (outcome.Status is FollowStatus.Cosigned or FollowStatus.Unchanged) Console.WriteLine(line);
        else Console.Error.WriteLine((outcome.Status == FollowStatus.Inconsistent ? "ALARM: " : "warning: ") + line);
    }

    private static IReadOnlyList<WitnessedLog> ReadLogs(string file)
    {
        try
        {
            if (!File.Exists(file)) throw new FormatException("the file does not exist");
            var logs = WitnessedLogs.Parse(File.ReadAllText(file));
            return logs.Count > 0 ? logs : throw new FormatException("no log is listed");
        }
        catch (FormatException wrong)
        {
            throw new FormatException($"--logs {file}: {wrong.Message}");
        }
    }

    private static string Folder(string path)
    {
        var folder = Path.GetFullPath(path);
        new LinuxDisk().CreateFolder(folder);
        return folder;
    }

    // The same kind of file as a log's key, but never the same key.
    private static LogKey OpenKey(AttestationShim shim, string folder) => LogKey.Open(shim, Path.Combine(folder, "witness.key"));

    private static VerifierKey KeyOf(LogKey key, string name) =>
        VerifierKey.IsName(name) ? new VerifierKey(name, NoteKeyType.Cosignature, key.PublicKey.ToArray()) : throw new FormatException($"--name '{name}': not empty, no spaces and no plus signs");
}
