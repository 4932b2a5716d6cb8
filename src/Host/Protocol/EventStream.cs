using System.Text.Json;
using System.Threading.Channels;

namespace OpenGradient.Engine.Host.Protocol;

/// <summary>A stream of server-sent events to one reader. Ends with the reader or with the host: a page left open must not hold up a stop.</summary>
internal sealed class EventStream(HttpContext context) : IDisposable
{
    private readonly CancellationTokenSource _ended = CancellationTokenSource.CreateLinkedTokenSource(
        context.RequestAborted, context.RequestServices.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping);

    private static readonly byte[] Comment = ": still here\n\n"u8.ToArray();

    /// <summary>Cancelled when the reader has gone or the host stops.</summary>
    public CancellationToken Ended => _ended.Token;

    public async Task Begin()
    {
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers["X-Accel-Buffering"] = "no"; // proxies that buffer would hide the stages
        await context.Response.Body.FlushAsync(context.RequestAborted);
    }

    public Task Send(string name, Action<Utf8JsonWriter> write) => Send(name, Answers.Render(write).WrittenMemory);

    public async Task Send(string name, ReadOnlyMemory<byte> data)
    {
        var body = context.Response.Body;
        await body.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"event: {name}\ndata: "), context.RequestAborted);
        await body.WriteAsync(data, context.RequestAborted);
        await body.WriteAsync("\n\n"u8.ToArray(), context.RequestAborted);
        await body.FlushAsync(context.RequestAborted);
    }

    /// <summary>True when the channel has something; false after a comment was sent to keep the connection open.</summary>
    public async Task<bool> WaitFor<T>(ChannelReader<T> reader, TimeSpan keepAlive)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Ended);
        limit.CancelAfter(keepAlive);
        try
        {
            return await reader.WaitToReadAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!Ended.IsCancellationRequested)
        {
            await context.Response.Body.WriteAsync(Comment, context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            return false;
        }
    }

    public void Dispose() => _ended.Dispose();
}
