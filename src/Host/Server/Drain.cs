using OpenGradient.Engine.Host.Protocol;

namespace OpenGradient.Engine.Host.Server;

/// <summary>
/// The way out of service, one direction: serving; draining (not ready, still answering, so that a load balancer can look
/// away first); closed (no inference begins, what has begun is answered). Safe for concurrent calls.
/// </summary>
internal sealed class Drain(TimeSpan delay, TimeProvider clock)
{
    private const string Closed = "this host is draining and takes no more requests";

    private readonly Lock _gate = new();
    private Task? _closing;

    // Calls inside; once closed, the bit that keeps further ones out. One word, so that no call slips in while it closes.
    private const long ClosedBit = 1L << 62;
    private long _inside;

    public bool IsDraining => Volatile.Read(ref _closing) is not null;

    public bool IsClosed => (Volatile.Read(ref _inside) & ClosedBit) != 0;

    /// <summary>Inference calls that have begun and are not answered yet.</summary>
    public long InFlight => Volatile.Read(ref _inside) & ~ClosedBit;

    public bool IsDrained => Volatile.Read(ref _inside) == ClosedBit;

    /// <summary>Begins to drain, once; completes when closed.</summary>
    public Task Begin()
    {
        lock (_gate) return _closing ??= Close();
    }

    /// <summary>Runs one inference call, or refuses it cleanly.</summary>
    public async Task Guard(HttpContext context, Func<Task> call)
    {
        if ((Interlocked.Increment(ref _inside) & ClosedBit) != 0)
        {
            Interlocked.Decrement(ref _inside);
            context.Response.Headers.RetryAfter = "1";
            await Answers.Error(context, StatusCodes.Status503ServiceUnavailable, Closed);
            return;
        }

        try
        {
            await call();
        }
        finally
        {
            Interlocked.Decrement(ref _inside);
        }
    }

    /// <summary>From the beginning of draining on, each answer ends its connection: kept ones close between two requests, never inside one.</summary>
    public Task CloseConnections(HttpContext context, RequestDelegate next)
    {
        if (IsDraining && HttpProtocol.IsHttp11(context.Request.Protocol)) context.Response.Headers.Connection = "close";
        return next(context);
    }

    /// <summary><c>POST /v1/drain</c> on the operator's listener: begins. <c>GET</c>: how far it is.</summary>
    public Task Handle(HttpContext context)
    {
        var begins = HttpMethods.IsPost(context.Request.Method);
        if (!begins && !HttpMethods.IsGet(context.Request.Method))
            return Answers.Error(context, StatusCodes.Status405MethodNotAllowed, "POST begins to drain, GET says how far it is");
        if (begins) _ = Begin();
        return Answers.Json(context, begins ? StatusCodes.Status202Accepted : StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteString("state", !IsDraining ? "serving" : IsDrained ? "drained" : "draining");
            json.WriteNumber("in_flight", InFlight);
            json.WriteEndObject();
        });
    }

    private async Task Close()
    {
        if (delay > TimeSpan.Zero) await Task.Delay(delay, clock).ConfigureAwait(false);
        Interlocked.Or(ref _inside, ClosedBit);
    }
}
