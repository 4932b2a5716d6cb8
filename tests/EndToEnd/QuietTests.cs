using System.Globalization;
using OpenGradient.Engine.EndToEnd.Tests.Running;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>A serving host talks to nobody but its callers and its chain, and writes nowhere but into its data folder.</summary>
public sealed class QuietTests
{
    [ChainFact]
    public async Task Host_WhileServing_OpensNoOtherSocketAndTouchesNoOtherFile()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        using var folder = new TemporaryFolder();
        var (home, temporary, current) = (Make(folder, "home"), Make(folder, "tmp"), Make(folder, "current"));
        var environment = new Dictionary<string, string?>
        {
            ["HOME"] = home, ["TMPDIR"] = temporary, ["XDG_CACHE_HOME"] = null, ["XDG_CONFIG_HOME"] = null, ["XDG_DATA_HOME"] = null, ["XDG_STATE_HOME"] = null,
        };
        await using var host = await ServingHost.Start(installation.Config, ["settlement.maxAgeMs=150", "settlement.tickMs=50"], environment, current);
        var allowed = new[] { host.Url, host.OperatorUrl, installation.Chain.Url }.Select(url => new Uri(url).Port).ToHashSet();
        for (var call = 0; call < 6; call++)
        {
            var (model, body) = Inputs.Mixed(call);
            (await host.Infer(model, body, call == 5 ? "final" : null)).Expect(200);
            foreach (var socket in InternetSockets(host.ProcessId))
                Assert.True(allowed.Contains(socket.Local) || (allowed.Contains(socket.Remote) && socket.Protocol.StartsWith("tcp", StringComparison.Ordinal)), $"an unexpected socket: {socket}");
            Assert.All(WritableFiles(host.ProcessId), file => Assert.StartsWith(installation.Root, file));
        }

        Assert.NotEmpty(InternetSockets(host.ProcessId));
        Assert.Empty(Directory.EnumerateFileSystemEntries(home));
        Assert.Empty(Directory.EnumerateFileSystemEntries(current));

        // The runtime's own diagnostics port is a local socket, closed to others; nothing else may appear.
        Assert.All(Directory.EnumerateFileSystemEntries(temporary), entry => Assert.Matches("^(dotnet-diagnostic-|clr-debug-pipe-)", Path.GetFileName(entry)));
        Assert.DoesNotContain(File.ReadLines($"/proc/{host.ProcessId}/environ").SelectMany(line => line.Split('\0')), variable => variable.Contains("TELEMETRY=1", StringComparison.Ordinal));
    }

    [ChainFact]
    public async Task DataFolder_OfAServingHost_IsClosedToOthers()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        await using var host = await installation.Serve();
        (await host.Infer("digits", Inputs.Digit(0), "durable")).Expect(200);
        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(installation.Root) & others);
        foreach (var key in Directory.GetFiles(Path.Combine(installation.Root, "keys"))) Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(key) & others);
    }

    private static string Make(TemporaryFolder folder, string name) => Directory.CreateDirectory(folder.At(name)).FullName;

    private static List<(string Protocol, int Local, int Remote)> InternetSockets(int process)
    {
        var own = Links(process).Where(link => link.StartsWith("socket:[", StringComparison.Ordinal)).Select(link => link[8..^1]).ToHashSet();
        var sockets = new List<(string, int, int)>();
        foreach (var protocol in new[] { "tcp", "tcp6", "udp", "udp6", "raw", "raw6" })
            foreach (var line in File.ReadLines($"/proc/{process}/net/{protocol}").Skip(1))
            {
                var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (own.Contains(fields[9])) sockets.Add((protocol, Port(fields[1]), Port(fields[2])));
            }

        return sockets;
    }

    private static int Port(string address) => int.Parse(address[(address.LastIndexOf(':') + 1)..], NumberStyles.HexNumber);

    // Descriptors of ordinary files that are open for writing. Looked at twice: a number that went to another file in between says nothing of the first.
    private static IEnumerable<string> WritableFiles(int process) =>
        from descriptor in Directory.GetFiles($"/proc/{process}/fd").Select(Path.GetFileName)
        let target = Link($"/proc/{process}/fd/{descriptor}")
        where target.StartsWith('/') && !target.StartsWith("/dev/", StringComparison.Ordinal) && !target.StartsWith("/memfd:", StringComparison.Ordinal)
        where IsWritable($"/proc/{process}/fdinfo/{descriptor}") && Link($"/proc/{process}/fd/{descriptor}") == target
        select target;

    private static bool IsWritable(string information)
    {
        try
        {
            var flags = File.ReadLines(information).First(line => line.StartsWith("flags:", StringComparison.Ordinal)).Split('\t')[^1];
            return (Convert.ToInt32(flags, 8) & 3) != 0;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static IEnumerable<string> Links(int process) => Directory.GetFiles($"/proc/{process}/fd").Select(Link);

    // As the kernel writes it; empty when it was closed in between.
    private static string Link(string path) => new FileInfo(path).LinkTarget ?? "";
}
