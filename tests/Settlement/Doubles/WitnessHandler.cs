using System.Net;
using OpenGradient.Engine.Settlement.Witnessing;

namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>Witnesses behind HTTP without a network: each answers under its own host name, and misbehaves as told.</summary>
internal sealed class WitnessHandler : HttpMessageHandler
{
    private readonly Dictionary<string, Witness> _witnesses = [];

    /// <summary>Hosts that refuse connections.</summary>
    public HashSet<string> Silent { get; } = [];

    /// <summary>Replaces an answer: status and body.</summary>
    public Func<string, (int Status, string Body)?>? Lie { get; set; }

    public List<string> Submitted { get; } = [];

    public WitnessAddress Add(string host, Witness witness)
    {
        _witnesses[host] = witness;
        return new WitnessAddress(witness.Key, new Uri($"http://{host}/"));
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var host = request.RequestUri!.Host;
        if (Silent.Contains(host)) throw new HttpRequestException("connection refused by the test");
        if (request.Method == HttpMethod.Get)
            return _witnesses[host].CheckpointOf(request.RequestUri.AbsolutePath.Split('/')[1]) is { } note ? Answer(200, "text/plain", note) : Answer(404, "text/plain", "none\n"u8.ToArray());
        var body = await request.Content!.ReadAsByteArrayAsync(cancellationToken);
        Submitted.Add($"{host} {System.Text.Encoding.UTF8.GetString(body).Split('\n')[0]}");
        if (Lie?.Invoke(host) is { } lie) return Answer(lie.Status, "text/plain", System.Text.Encoding.UTF8.GetBytes(lie.Body));
        var answer = _witnesses[host].AddCheckpoint(body);
        return Answer(answer.Status, answer.ContentType, answer.Body.ToArray());
    }

    private static HttpResponseMessage Answer(int status, string type, byte[] body)
    {
        var content = new ByteArrayContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        return new HttpResponseMessage((HttpStatusCode)status) { Content = content };
    }
}
