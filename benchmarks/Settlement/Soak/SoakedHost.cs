using System.Text.RegularExpressions;
using OpenGradient.Engine.Benchmarks.Settlement.Processes;

namespace OpenGradient.Engine.Benchmarks.Settlement.Soak;

/// <summary>Something that must never happen did.</summary>
internal sealed class SoakViolationException(string message) : Exception(message);

/// <summary>A real <c>og serve</c> that is killed and started again under the same address.</summary>
internal sealed partial class SoakedHost : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);

    private readonly string _og;
    private readonly string[] _arguments;
    private readonly Uri _operator;
    private readonly HttpClient _http;
    private ChildProcess? _child;
    private volatile bool _expectedDown = true;

    public SoakedHost(string og, string dataFolder)
    {
        _og = Path.GetFullPath(og);
        Address = new Uri($"http://127.0.0.1:{LoopbackPort.Free()}/");
        Folder = dataFolder;
        _http = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(10) };
        // One model on its class by word: every start would probe it again.
        var model = Path.GetFullPath(Path.Combine("models", "digits"));
        _operator = new Uri($"http://127.0.0.1:{LoopbackPort.Free()}/");
        string[] settings = [$"http.listen={Address}", $"operatorListen={_operator}", $"models=[{{\"path\":\"{model}\",\"determinism\":\"B\"}}]"];
        _arguments = ["serve", "--config", Path.Combine(dataFolder, "og.json"), .. settings.SelectMany(setting => new[] { "--set", setting })];
    }

    public Uri Address { get; }

    public string Folder { get; }

    public string Trust => Path.Combine(Folder, "trust.json");

    /// <summary>How often it was started.</summary>
    public int Starts { get; private set; }

    /// <summary>Starts it and returns when it is ready.</summary>
    /// <exception cref="SoakViolationException">It ended by itself, or was not ready in time.</exception>
    public async Task StartAsync()
    {
        _child = await ChildProcess.StartAsync(_og, _arguments);
        Starts++;
        for (var start = TimeProvider.System.GetTimestamp(); ; await Task.Delay(50))
        {
            if (_child.HasExited) throw new SoakViolationException($"the host ended while it started, with code {_child.ExitCode}:\n{_child.Said}");
            if (await IsReadyAsync()) break;
            if (TimeProvider.System.GetElapsedTime(start) > StartLimit) throw new SoakViolationException($"the host was not ready after {StartLimit.TotalSeconds:0} s:\n{_child.Said}");
        }

        _expectedDown = false;
    }

    /// <exception cref="SoakViolationException">It ended though nobody asked it to.</exception>
    public void ThrowIfEnded()
    {
        if (!_expectedDown && _child is { HasExited: true } ended) throw new SoakViolationException($"the host ended by itself with code {ended.ExitCode}:\n{ended.Said}");
    }

    public async Task KillAsync()
    {
        _expectedDown = true;
        await _child!.KillAsync();
        await ForgetAsync();
    }

    /// <summary>SIGTERM. Whether it ended in time with code 0; it is gone afterwards in any case.</summary>
    public async Task<bool> TerminateAsync()
    {
        _expectedDown = true;
        var ended = await _child!.TerminateAsync(TimeSpan.FromSeconds(60)) && _child.ExitCode == 0;
        await ForgetAsync();
        return ended;
    }

    /// <summary>What holds settlement up, as the host's metrics name it; empty when nothing does or the host does not answer.</summary>
    public async Task<string[]> ConditionsAsync()
    {
        try
        {
            var metrics = await _http.GetStringAsync(new Uri(_operator, "metrics"));
            return [.. Condition().Matches(metrics).Select(match => match.Groups[1].Value)];
        }
        catch (Exception down) when (down is HttpRequestException or TaskCanceledException or IOException)
        {
            return [];
        }
    }

    public async ValueTask DisposeAsync()
    {
        _expectedDown = true;
        await ForgetAsync();
        _http.Dispose();
    }

    private async Task<bool> IsReadyAsync()
    {
        try
        {
            using var answer = await _http.GetAsync("v2/health/ready");
            return answer.IsSuccessStatusCode;
        }
        catch (Exception down) when (down is HttpRequestException or TaskCanceledException or IOException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"^og_condition\{[^}]*kind=""(\w+)""[^}]*\} 1", RegexOptions.Multiline)]
    private static partial Regex Condition();

    private async Task ForgetAsync()
    {
        if (_child is { } child) await child.DisposeAsync();
        _child = null;
    }
}
