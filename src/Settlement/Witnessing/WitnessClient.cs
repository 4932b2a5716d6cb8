using System.Net;
using System.Text;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Log;

namespace OpenGradient.Engine.Settlement.Witnessing;

/// <summary>Speaks C2SP tlog-witness to one witness. Never throws for what the witness or the network does. Safe for concurrent calls.</summary>
internal sealed class WitnessClient(HttpClient http, WitnessAddress witness)
{
    /// <summary>5 s: a witness answers within one sync of its disk; a longer silence is tried again.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private readonly Uri _prefix = witness.Url.AbsoluteUri.EndsWith('/') ? witness.Url : new Uri(witness.Url.AbsoluteUri + "/");

    /// <summary>The answer, or null and why there is none.</summary>
    public async Task<(WitnessAnswer? Answer, string Detail)> SubmitAsync(AddCheckpointRequest request, CancellationToken cancellationToken)
    {
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(Timeout);
        try
        {
            using var content = new ByteArrayContent(request.Encode());
            using var message = new HttpRequestMessage(HttpMethod.Post, new Uri(_prefix, AddCheckpointRequest.Path)) { Content = content };
            using var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, limited.Token).ConfigureAwait(false);
            if (await LimitedBody.ReadAsync(response, CheckpointNote.MaxSize, limited.Token).ConfigureAwait(false) is not { } body) return (null, $"it answers with more than {CheckpointNote.MaxSize} bytes");
            return (new WitnessAnswer((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType ?? "", body), "");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, $"it does not answer within {Timeout.TotalSeconds} s");
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            return (null, failure.Message);
        }
    }

    /// <summary>The checkpoint of a log that the witness shows; null when it shows none.</summary>
    public async Task<CheckpointNote?> ViewAsync(string origin, CancellationToken cancellationToken)
    {
        try
        {
            var path = $"{Hash256.Sha256(Encoding.UTF8.GetBytes(origin))}/{TilePath.Checkpoint}";
            return await new HttpLogFiles(http, _prefix, Timeout).ReadAsync(path, CheckpointNote.MaxSize, cancellationToken).ConfigureAwait(false) is { } bytes ? CheckpointNote.Parse(bytes) : null;
        }
        catch (Exception failure) when (failure is IOException or FormatException)
        {
            return null;
        }
    }

    /// <summary>The size in a 409's body; null when it is none.</summary>
    public static ulong? SizeIn(WitnessAnswer answer) =>
        answer.Body.Length is > 1 and < 32 && answer.Body.Span[^1] == '\n' ? CheckpointNote.ParseSize(Encoding.ASCII.GetString(answer.Body.Span[..^1])) : null;
}
