using System.Diagnostics;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.Hosting.Tests.LanguageModels;

/// <summary>An <c>og serve</c> of its own, without a chain, with a language model of random weights whose tokens are bytes.</summary>
public class LanguageModelHost : IAsyncLifetime
{
    // Long enough that a template which does not know tools has room to tell of them.
    public const int Context = 1024, Hidden = 64;

    private readonly string _folder = Directory.CreateTempSubdirectory("og-language-").FullName;
    private readonly TinyFolder _model = TinyFolder.Create(new TinyShape { Context = Context });
    private readonly int _port = Ports.Free(), _operatorPort = Ports.Free();
    private Process _process = null!;
    private Task<string> _errors = null!;

    public HttpClient Http { get; private set; } = null!;

    public Uri Address => new($"http://127.0.0.1:{_port}/");

    public bool HasExited => _process.HasExited;

    /// <summary>Further properties of the model's configuration, each with a comma before it.</summary>
    protected virtual string More => ",\"cacheMiB\":8";

    protected virtual IReadOnlyList<string> Settings => [];

    public async Task InitializeAsync()
    {
        string[] settings =
        [
            $"http.listen={Address}", $"operatorListen=http://127.0.0.1:{_operatorPort}", "http.maxBodyBytes=1048576",
            $$"""languageModels=[{"name":"tiny","path":"{{_model.Path}}","threads":1{{More}}}]""", .. Settings,
        ];
        _process = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "og"), ["serve", .. settings.SelectMany(setting => new[] { "--set", setting })])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _folder,
        })!;
        _errors = _process.StandardError.ReadToEndAsync();
        var first = await _process.StandardOutput.ReadLineAsync();
        Assert.True(first?.StartsWith("og ", StringComparison.Ordinal), first ?? await _errors);
        Http = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromMinutes(5) };
    }

    public async Task DisposeAsync()
    {
        Http?.Dispose();
        if (_process is { HasExited: false }) _process.Kill();
        if (_process is not null) await _process.WaitForExitAsync();
        _process?.Dispose();
        _model.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    public async Task<HttpAnswer> Post(string path, string body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers) request.Headers.Add(name, value);
        return await HttpAnswer.Of(await Http.SendAsync(request));
    }

    public async Task<HttpAnswer> PostBytes(string path, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        return await HttpAnswer.Of(await Http.PostAsync(path, content));
    }

    public async Task<HttpAnswer> Get(string path) => await HttpAnswer.Of(await Http.GetAsync(path));

    /// <summary>The chunks of a stream; the last text is <c>[DONE]</c> where it came.</summary>
    public async Task<IReadOnlyList<string>> Stream(string path, string body)
    {
        var answer = (await Post(path, body)).Expect(200);
        return [.. answer.Text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Where(line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(line => line[6..])];
    }

    /// <summary>The sum of a metric's samples.</summary>
    public async Task<double> Metric(string name)
    {
        var text = await Http.GetStringAsync($"http://127.0.0.1:{_operatorPort}/metrics");
        return text.Split('\n').Where(line => line.StartsWith(name + "{", StringComparison.Ordinal) || line.StartsWith(name + " ", StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture));
    }
}

/// <summary>One HTTP answer, read whole.</summary>
public sealed record HttpAnswer(int Code, string Text, IReadOnlyDictionary<string, string> Headers)
{
    public JsonElement Json
    {
        get
        {
            using var document = JsonDocument.Parse(Text);
            return document.RootElement.Clone();
        }
    }

    public JsonElement Error => Json.GetProperty("error");

    public static async Task<HttpAnswer> Of(HttpResponseMessage response)
    {
        using (response)
            return new HttpAnswer((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Headers.ToDictionary(header => header.Key, header => string.Join(", ", header.Value)));
    }

    public HttpAnswer Expect(int code)
    {
        Assert.True(Code == code, $"{Code}, not {code}: {Text}");
        return this;
    }
}
