using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace OpenGradient.Engine.Settlement.Tests.Postgres;

/// <summary>
/// A private cluster of the installed PostgreSQL in a temporary folder, with fsync on; ends with the tests, however they end.
/// It runs as an unprivileged user where the tests run as root, because the server refuses root.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string Role = "og";
    private const string Password = "kept in a file";
    private static readonly Lazy<Task<PostgresServer>> SharedServer = new(Start);

    // The kernel's signal on a parent's death is bound to the thread that forked: one thread, which never ends, starts the servers.
    private static readonly BlockingCollection<Action> Starts = [];

    private readonly string _folder = Directory.CreateTempSubdirectory("og-postgres-").FullName;
    private readonly int _port = Ports.Free();
    private readonly int? _user;
    private readonly int? _group;
    private Process? _process;
    private int _databases;

    static PostgresServer() => new Thread(() =>
    {
        foreach (var start in Starts.GetConsumingEnumerable()) start();
    }) { IsBackground = true, Name = "starts servers" }.Start();

    private PostgresServer() => (_user, _group) = Unprivileged();

    /// <summary>Null when a server can be started; otherwise why not.</summary>
    public static string? Missing { get; } = Find() is null ? "no PostgreSQL server: apt-get install postgresql, or set OG_POSTGRES_BIN to the folder of initdb and postgres" : null;

    /// <summary>One for all tests that leave it running; each takes a database of its own.</summary>
    public static Task<PostgresServer> Shared => SharedServer.Value;

    public int ProcessId => _process!.Id;

    private string Data => Path.Combine(_folder, "data");

    public static async Task<PostgresServer> Start()
    {
        var server = new PostgresServer();
        try
        {
            var passwordFile = Path.Combine(server._folder, "password");
            await File.WriteAllTextAsync(passwordFile, Password + "\n");
            if (server._user is not null) await Run("chown", ["-R", $"{server._user}:{server._group}", server._folder]);
            await Run("setpriv", [.. server.AsUser(), Path.Combine(Find()!, "initdb"), "-D", server.Data, "-U", Role, "--auth=scram-sha-256", $"--pwfile={passwordFile}", "-E", "UTF8", "--no-locale", "--no-sync"]);
            await server.Launch();
            // The server dies with this process; its folder is left to somebody who outlives both.
            await StartForGood(new ProcessStartInfo("sh", ["-c", $"while kill -0 {Environment.ProcessId} 2>/dev/null; do sleep 1; done; sleep 1; rm -rf '{server._folder}'"]));
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes an empty database and returns how to reach it.</summary>
    public async Task<string> NewDatabase()
    {
        var name = $"t{Interlocked.Increment(ref _databases)}";
        await using var connection = new NpgsqlConnection(ConnectionString("postgres"));
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        await create.ExecuteNonQueryAsync();
        return ConnectionString(name);
    }

    public string ConnectionString(string database) => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1", Port = _port, Username = Role, Password = Password, Database = database,
        Timeout = 120, CommandTimeout = 120, // seconds: a machine under load is slow to fork and to sync
    }.ConnectionString;

    /// <summary>kill -9 of the server's main process; its children end when they notice.</summary>
    public async Task Kill()
    {
        _process!.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(5);

    /// <summary>Starts it again in the same folder and waits until it answers.</summary>
    public async Task Launch()
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            _process = await StartForGood(new ProcessStartInfo("setpriv", [
                "--pdeathsig", "KILL", .. AsUser(), Path.Combine(Find()!, "postgres"), "-D", Data, "-k", _folder, "-p", _port.ToString(CultureInfo.InvariantCulture),
                "-c", "listen_addresses=127.0.0.1", "-c", "fsync=on", "-c", "max_connections=200", "-c", "shared_buffers=64MB",
            ]) { RedirectStandardError = true, RedirectStandardOutput = true });
            var log = new Queue<string>();
            _process.ErrorDataReceived += (_, line) =>
            {
                lock (log)
                {
                    log.Enqueue(line.Data ?? "");
                    if (log.Count > 50) log.Dequeue();
                }
            };
            _process.BeginErrorReadLine();
            _process.BeginOutputReadLine();
            while (!_process.HasExited)
            {
                try
                {
                    NpgsqlConnection.ClearAllPools();
                    await using var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Timeout=10"); // one attempt of many
                    await connection.OpenAsync();
                    return;
                }
                catch (NpgsqlException) when (clock.Elapsed < StartLimit)
                {
                    await Task.Delay(50);
                }
            }

            // The children of a killed server may hold its memory for a moment: the next attempt finds it free.
            string[] lines;
            lock (log) lines = [.. log];
            if (clock.Elapsed > StartLimit) throw new InvalidOperationException("PostgreSQL did not start: " + string.Join('\n', lines));
            await Task.Delay(200);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false }) await Kill();
        for (var attempt = 0; Directory.Exists(_folder); attempt++)
        {
            try
            {
                Directory.Delete(_folder, recursive: true);
            }
            catch (IOException) when (attempt < 50)
            {
                await Task.Delay(100); // its children are still writing
            }
        }
    }

    private static Task<Process> StartForGood(ProcessStartInfo start)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        Starts.Add(() => started.SetResult(Process.Start(start)!));
        return started.Task;
    }

    private string[] AsUser() => _user is null ? [] : ["--reuid", $"{_user}", "--regid", $"{_group}", "--clear-groups"];

    private static async Task Run(string file, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{file} ended with {process.ExitCode}: {await output}{await error}");
    }

    // The package's own user, or the one that owns nothing.
    private static (int? User, int? Group) Unprivileged()
    {
        if (Environment.UserName != "root") return (null, null);
        var users = File.ReadAllLines("/etc/passwd").Select(line => line.Split(':')).ToDictionary(fields => fields[0]);
        var user = users.GetValueOrDefault("postgres") ?? users["nobody"];
        return (int.Parse(user[2], CultureInfo.InvariantCulture), int.Parse(user[3], CultureInfo.InvariantCulture));
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("OG_POSTGRES_BIN") is { Length: > 0 } named) return HasServer(named) ? named : null;
        const string packages = "/usr/lib/postgresql";
        return Directory.Exists(packages)
            ? Directory.GetDirectories(packages).Select(version => Path.Combine(version, "bin")).Where(HasServer).OrderByDescending(bin => bin.Length).ThenByDescending(bin => bin, StringComparer.Ordinal).FirstOrDefault()
            : null;
    }

    private static bool HasServer(string bin) => File.Exists(Path.Combine(bin, "initdb")) && File.Exists(Path.Combine(bin, "postgres"));
}

/// <summary>A test that needs a PostgreSQL server; visibly skipped where none is installed.</summary>
public sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute() => Skip = PostgresServer.Missing;
}
