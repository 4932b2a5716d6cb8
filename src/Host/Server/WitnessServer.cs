using System.Net;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Settlement.Witnessing;

namespace OpenGradient.Engine.Host.Server;

/// <summary>The HTTP face of a witness: <c>POST /add-checkpoint</c> and <c>GET /ORIGIN-HASH/checkpoint</c> (C2SP tlog-witness). Signatures are all the authentication there is.</summary>
internal static class WitnessServer
{
    public static WebApplication Build(Witness witness, Uri listen)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null; // RequestBody holds the cap
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
            kestrel.Listen(listen.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(listen.Host.Trim('[', ']')), listen.Port);
        });
        var app = builder.Build();
        app.MapPost("/" + AddCheckpointRequest.Path, context => Add(witness, context));
        app.MapGet("/{hash}/checkpoint", context => View(witness, context));
        app.MapFallback("{**path}", context => Say(context, WitnessAnswer.Refused(404, "a witness has POST /add-checkpoint and GET /SHA-256 of an origin/checkpoint")));
        return app;
    }

    private static async Task Add(Witness witness, HttpContext context)
    {
        ReadOnlyMemory<byte> body;
        try
        {
            body = await RequestBody.Read(context, AddCheckpointRequest.MaxSize);
        }
        catch (Exception refused) when (refused is BodyTooLongException or BadRequestException)
        {
            await Say(context, WitnessAnswer.Refused(400, refused.Message));
            return;
        }

        var answer = witness.AddCheckpoint(body.Span);
        Console.WriteLine($"add-checkpoint: {answer.ToString().Split('\n')[0]}");
        await Say(context, answer);
    }

    private static Task View(Witness witness, HttpContext context) =>
        Say(context, witness.CheckpointOf(context.Request.RouteValues["hash"] as string ?? "") is { } note
            ? new WitnessAnswer(200, "text/plain; charset=utf-8", note)
            : WitnessAnswer.Refused(404, "no checkpoint of such a log was cosigned"));

    private static async Task Say(HttpContext context, WitnessAnswer answer)
    {
        context.Response.StatusCode = answer.Status;
        context.Response.ContentType = answer.ContentType;
        context.Response.ContentLength = answer.Body.Length;
        context.Response.Headers["X-Content-Type-Options"] = "nosniff";
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.Body.WriteAsync(answer.Body, context.RequestAborted);
    }
}
