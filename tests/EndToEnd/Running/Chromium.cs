using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>A page in headless Chromium, driven through the DevTools protocol, with everything it says and asks for written down.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private readonly Child _child;
    private readonly TemporaryFolder _profile;
    private readonly ClientWebSocket _socket = new();
    private readonly Dictionary<int, TaskCompletionSource<JsonElement>> _calls = [];
    private readonly List<string> _complaints = [], _requests = [];
    private readonly Dictionary<string, string> _addresses = []; // of requests, by the browser's number for them
    private int _next;

    private Chromium(Child child, TemporaryFolder profile) => (_child, _profile) = (child, profile);

    public static string? Binary { get; } = new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(File.Exists);

    /// <summary>Errors and warnings of the console, exceptions, failed requests.</summary>
    public IReadOnlyList<string> Complaints { get { lock (_calls) return [.. _complaints]; } }

    /// <summary>Every address the page asked for.</summary>
    public IReadOnlyList<string> Requests { get { lock (_calls) return [.. _requests]; } }

    public static async Task<Chromium> Open(string url)
    {
        var profile = new TemporaryFolder();
        var child = await Child.Start(Binary!, [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-component-update",
            "--window-size=1280,1000", $"--user-data-dir={profile.Root}", "--remote-debugging-port=0", "about:blank"], new Dictionary<string, string?> { ["HOME"] = profile.Root });
        var chromium = new Chromium(child, profile);
        try
        {
            await chromium.Attach();
            foreach (var domain in new[] { "Page", "Runtime", "Log", "Network" }) await chromium.Call($"{domain}.enable");
            await chromium.Call("Page.navigate", new JsonObject { ["url"] = url });
            return chromium;
        }
        catch
        {
            await chromium.DisposeAsync();
            throw;
        }
    }

    /// <summary>The value of a JavaScript expression as text; null for undefined and null.</summary>
    public async Task<string?> Evaluate(string expression)
    {
        var reply = await Call("Runtime.evaluate", new JsonObject { ["expression"] = expression, ["returnByValue"] = true, ["awaitPromise"] = true });
        Assert.False(reply.TryGetProperty("exceptionDetails", out var thrown), $"{expression}: {thrown}");
        return reply.GetProperty("result").TryGetProperty("value", out var value) && value.ValueKind != JsonValueKind.Null ? value.ToString() : null;
    }

    /// <summary>Waits until an expression is true; what it names may not be there yet.</summary>
    public Task Until(string expression) => Eventually.Value(
        expression, async () => await Evaluate($"(() => {{ try {{ return !!({expression}) }} catch {{ return false }} }})()") == "True" ? expression : null, () => string.Join('\n', Complaints));

    public async Task Screenshot(string file) =>
        await File.WriteAllBytesAsync(file, (await Call("Page.captureScreenshot", new JsonObject { ["format"] = "png" })).GetProperty("data").GetBytesFromBase64());

    public async ValueTask DisposeAsync()
    {
        _socket.Abort();
        _socket.Dispose();
        await _child.DisposeAsync();
        await Eventually.Holds("the browser has let go of its profile", () =>
        {
            try
            {
                _profile.Dispose();
                return Task.FromResult(true);
            }
            catch (IOException)
            {
                return Task.FromResult(false);
            }
        });
    }

    private async Task Attach()
    {
        // The browser writes its port into its profile; its pages are listed under /json.
        var portFile = _profile.At("DevToolsActivePort");
        var port = await Eventually.Value("the browser listens", () => Task.FromResult(File.Exists(portFile) && File.ReadAllLines(portFile) is [var line, ..] ? line : null), () => _child.Error);
        using var http = new HttpClient();
        var socket = await Eventually.Value("the browser has a page", async () =>
        {
            using var pages = JsonDocument.Parse(await http.GetStringAsync($"http://127.0.0.1:{port}/json/list"));
            return pages.RootElement.EnumerateArray().Where(page => page.GetProperty("type").GetString() == "page").Select(page => page.GetProperty("webSocketDebuggerUrl").GetString()).FirstOrDefault();
        });
        await _socket.ConnectAsync(new Uri(socket), CancellationToken.None);
        _ = Receive();
    }

    private async Task<JsonElement> Call(string method, JsonObject? parameters = null)
    {
        var id = ++_next;
        var reply = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_calls) _calls[id] = reply;
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters ?? [] };
        await _socket.SendAsync(System.Text.Encoding.UTF8.GetBytes(message.ToJsonString()), WebSocketMessageType.Text, true, CancellationToken.None);
        return await reply.Task.WaitAsync(Eventually.Limit);
    }

    private async Task Receive()
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                using var message = new MemoryStream();
                ValueWebSocketReceiveResult part;
                do
                {
                    part = await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                    message.Write(buffer, 0, part.Count);
                }
                while (!part.EndOfMessage);
                using var document = JsonDocument.Parse(message.ToArray());
                lock (_calls) Take(document.RootElement.Clone());
            }
        }
        catch (Exception e) when (e is WebSocketException or ObjectDisposedException or OperationCanceledException or JsonException)
        {
            lock (_calls)
                foreach (var call in _calls.Values) call.TrySetException(new IOException("the browser has gone", e));
        }
    }

    private void Take(JsonElement message)
    {
        if (message.TryGetProperty("id", out var id))
        {
            if (!_calls.Remove(id.GetInt32(), out var call)) return;
            if (message.TryGetProperty("result", out var result)) call.SetResult(result);
            else call.SetException(new IOException(message.ToString()));
            return;
        }

        var parameters = message.GetProperty("params");
        switch (message.GetProperty("method").GetString())
        {
            // Cancelled is what the page or the browser ended itself, a stream read to its end included; a host that cuts one is not.
            case "Network.loadingFailed" when parameters.TryGetProperty("canceled", out var cancelled) && cancelled.GetBoolean():
                break;
            case "Network.loadingFailed":
                _complaints.Add($"{_addresses.GetValueOrDefault(parameters.GetProperty("requestId").GetString()!)}: {message}");
                break;
            case "Runtime.exceptionThrown":
            case "Runtime.consoleAPICalled" when parameters.GetProperty("type").GetString() is "error" or "warning" or "assert":
            case "Log.entryAdded" when parameters.GetProperty("entry").GetProperty("level").GetString() is "error" or "warning":
                _complaints.Add(message.ToString());
                break;
            case "Network.requestWillBeSent":
                var url = parameters.GetProperty("request").GetProperty("url").GetString()!;
                _requests.Add(url);
                _addresses[parameters.GetProperty("requestId").GetString()!] = url;
                break;
        }
    }
}

/// <summary>A test that needs the browser; visibly skipped where there is none.</summary>
public sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute() => Skip = ChainFactAttribute.Reason ?? (Chromium.Binary is null ? "no Chromium: apt-get install chromium" : null);
}
