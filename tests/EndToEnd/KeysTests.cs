using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.EndToEnd.Tests.Running;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>API keys, rate limits and TLS; and that nothing outside loopback goes without them.</summary>
public sealed class KeysTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Listener_WithKeysAndTls_AnswersOnlyThoseWithAKeyAndSoMany()
    {
        using var certificate = Certificate();
        var keys = Secret("keys", $"# two keys\nfirst-key\nsha256:{Convert.ToHexStringLower(SHA256.HashData("second-key"u8))}\n");
        await using var host = await ServingHost.Start(
            Config(), ["http.tlsCertificateFile=" + _folder.At("cert.pem"), "http.tlsKeyFile=" + _folder.At("key.pem"), "http.apiKeysFile=" + keys, "http.requestsPerMinutePerKey=5"], pinned: certificate);

        (await host.Infer("digits", Inputs.Digit(0))).Expect(401);
        foreach (var wrong in new[] { "Bearer", "Bearer ", "Bearer first-keyy", "Basic first-key", "Bearer sha256:00" })
            Assert.Contains("API key", (await Ask(host, wrong)).Expect(401).Error);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var limited = await Ask(host, "Bearer first-key");
        var answered = 0;
        for (; limited.Code == 200 && answered < 100; answered++) limited = await Ask(host, "Bearer first-key");
        limited.Expect(429);
        Assert.InRange(answered, 5, 5 * (1 + (int)clock.Elapsed.TotalMinutes)); // five in each minute that this took
        Assert.InRange(int.Parse(limited.Header("Retry-After")!), 1, 60);
        (await Ask(host, "Bearer second-key")).Expect(200);
        (await host.Get("v2/health/live")).Expect(200);
        Assert.DoesNotContain("first-key", host.Printed);

        // The clear-text protocol on the same port gets nothing.
        using var plain = new HttpClient();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => plain.GetAsync(host.Url.Replace("https", "http", StringComparison.Ordinal) + "v2"));
    }

    [Theory]
    [InlineData("http.listen=http://0.0.0.0:1", "http.apiKeysFile")]
    [InlineData("http.listen=http://0.0.0.0:1", "http.tlsCertificateFile")]
    [InlineData("http.listen=https://0.0.0.0:1", "http.tlsCertificateFile")]
    [InlineData("http.listen=http://[::]:1", "http.apiKeysFile")]
    [InlineData("http.listen=https://127.0.0.1:1", "https needs")]
    [InlineData("http.listen=127.0.0.1", "not an http or https address")]
    [InlineData("operatorListen=http://0.0.0.0:1", "operator endpoints listen on loopback only")]
    [InlineData("http.tlsKeyFile=key.pem", "both or neither")]
    public async Task Listener_ThatIsNotSafe_IsRefusedAtStartByName(string setting, string says) =>
        Assert.Contains(says, (await Og.Run("serve", "--config", Config(), "--set", setting)).Expect(Og.Usage).Error);

    [Fact]
    public async Task KeyFile_ThatIsUnusable_IsRefusedAtStartByName()
    {
        var open = _folder.Write("open", "a-key\n");
        foreach (var (file, says) in new[] { (open, "600"), (Secret("empty", "# none\n"), "no key"), (Secret("bad", "sha256:xyz\n"), "entry 1"), (_folder.At("absent"), "absent") })
            Assert.Contains(says, (await Serve("http.apiKeysFile=" + file)).Expect(Og.Failed).Error);
    }

    [Fact]
    public async Task Certificate_ThatIsUnusable_IsRefusedAtStartByName()
    {
        using (Certificate()) _folder.Write("rubbish.pem", "-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n");
        foreach (var file in new[] { "rubbish.pem", "absent.pem" })
        {
            var serve = await Serve("http.tlsCertificateFile=" + _folder.At(file), "http.tlsKeyFile=" + _folder.At("key.pem"), $"http.listen=https://127.0.0.1:{Ports.Free()}");
            Assert.NotEqual(Og.Ok, serve.ExitCode);
            Assert.Contains(file, serve.Expect(serve.ExitCode).Error);
        }
    }

    [Fact]
    public async Task Port_ThatIsTaken_IsRefusedAtStartByName()
    {
        using var taken = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, Ports.Free());
        taken.Start();
        var port = ((System.Net.IPEndPoint)taken.LocalEndpoint).Port;
        Assert.Contains($"{port}", (await Serve($"http.listen=http://127.0.0.1:{port}")).Expect(Og.Failed).Error);
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<Answer> Ask(ServingHost host, string authorization)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "v2/models/digits/infer") { Content = new ReadOnlyMemoryContent(Inputs.Digit(0)) };
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return await Answer.Of(await host.Http.SendAsync(request));
    }

    private Task<OgResult> Serve(params string[] settings) =>
        Og.Run(["serve", "--config", Config(), "--set", $"operatorListen=http://127.0.0.1:{Ports.Free()}", .. settings.SelectMany(setting => new[] { "--set", setting })]);

    // Without a chain: what is tested here ends before receipts begin.
    private string Config() => _folder.Write("og.json", $$"""{"version":1,"data":"data","models":[{"path":"{{Repository.At("models", "digits")}}"}]}""");

    private string Secret(string name, string text)
    {
        var file = _folder.Write(name, text);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return file;
    }

    private X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = DateTimeOffset.UtcNow;
        var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        _folder.Write("cert.pem", certificate.ExportCertificatePem());
        Secret("key.pem", key.ExportPkcs8PrivateKeyPem());
        return certificate;
    }
}
