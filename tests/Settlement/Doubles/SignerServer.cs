using System.Net;
using System.Text;
using System.Text.Json;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>A signer over HTTP that holds one real key and answers as Web3Signer does, or as a test bends it.</summary>
internal sealed class SignerServer : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Secp256k1 _key;
    private readonly Task _serving;

    public SignerServer(Secp256k1 key)
    {
        _key = key;
        using (var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Endpoint = new Uri($"http://{probe.LocalEndpoint}/");
        }

        _listener.Prefixes.Add(Endpoint.ToString());
        _listener.Start();
        _serving = Serve();
    }

    public Uri Endpoint { get; }

    /// <summary>Changes what is answered: status, and the text made of the right one.</summary>
    public Func<string, (int Status, string Text)> Bend { get; set; } = right => (200, right);

    /// <summary>No answer while it is set.</summary>
    public TaskCompletionSource? Hold { get; set; }

    public List<string> Requests { get; } = [];

    public async ValueTask DisposeAsync()
    {
        Hold?.TrySetResult();
        _listener.Stop();
        await _serving;
        _listener.Close();
    }

    private async Task Serve()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception end) when (end is HttpListenerException or InvalidOperationException)
            {
                return;
            }

            using var reader = new StreamReader(context.Request.InputStream);
            var body = await reader.ReadToEndAsync();
            Requests.Add($"{context.Request.HttpMethod} {context.Request.RawUrl} {body}");
            if (Hold is { } hold) await hold.Task;
            var (status, text) = Bend(Sign(context.Request.RawUrl!, body, out var known));
            try
            {
                context.Response.StatusCode = known ? status : 404;
                await context.Response.OutputStream.WriteAsync(Encoding.Latin1.GetBytes(text));
                context.Response.Close();
            }
            catch (Exception gone) when (gone is HttpListenerException or ObjectDisposedException or IOException)
            {
                // The client gave up, or the test is over.
            }
        }
    }

    private string Sign(string path, string body, out bool known)
    {
        known = path == $"/api/v1/eth1/sign/0x{Convert.ToHexStringLower(_key.PublicKey.AsSpan(1))}";
        if (!known) return "";
        using var document = JsonDocument.Parse(body);
        var data = Convert.FromHexString(document.RootElement.GetProperty("data").GetString()![2..]);
        var signature = _key.SignDigest(Keccak256.Hash(data));
        signature[64] += 27;
        return "0x" + Convert.ToHexStringLower(signature);
    }
}
