using System.Net;
using System.Text;

namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>Stands between client and node and misbehaves as told.</summary>
internal sealed class FaultHandler : DelegatingHandler
{
    public FaultHandler() : base(new SocketsHttpHandler { AllowAutoRedirect = false })
    {
    }

    /// <summary>Given the request's text; true sends it on but loses the answer.</summary>
    public Func<string, bool>? LoseAnswer { get; set; }

    /// <summary>True refuses the connection: the request never arrives.</summary>
    public Func<string, bool>? Refuse { get; set; }

    /// <summary>Changes the answer's text.</summary>
    public Func<string, string, string>? Rewrite { get; set; }

    public int Bites { get; private set; }

    public List<string> Sent { get; } = [];

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var text = await request.Content!.ReadAsStringAsync(cancellationToken);
        if (text.Contains("eth_sendRawTransaction", StringComparison.Ordinal)) Sent.Add(text);
        if (Refuse?.Invoke(text) == true)
        {
            Bites++;
            throw new HttpRequestException("connection refused by the test");
        }

        var response = await base.SendAsync(request, cancellationToken);
        if (LoseAnswer?.Invoke(text) == true)
        {
            Bites++;
            throw new HttpRequestException("the answer was lost by the test");
        }

        if (Rewrite is null) return response;
        var body = await response.Content.ReadAsStringAsync(cancellationToken);
        var changed = Rewrite(text, body);
        if (changed != body) Bites++;
        response.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(changed));
        response.StatusCode = HttpStatusCode.OK;
        return response;
    }
}
