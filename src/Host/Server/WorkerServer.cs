using System.Text;
using OpenGradient.Engine.Host.Endpoints;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Hosting.Sharing;
using OpenGradient.Engine.Settlement;

namespace OpenGradient.Engine.Host.Server;

/// <summary>The operator's listener of a process without an engine: health, metrics and who leads. It has no other.</summary>
internal static class WorkerServer
{
    /// <summary>Null where the configuration switches the listener off.</summary>
    public static WebApplication? Build(WorkerHost host)
    {
        if (host.Configuration.OperatorListen is not { } listen) return null;
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Configuration.Sources.Clear();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddSingleton<IHostLifetime, HttpServer.SignalsElsewhere>();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            HttpServer.Listen(kestrel, ConfigurationCheck.Address(listen)!, null);
        });
        var app = builder.Build();
        app.UseGatekeeper(new ListenerConfiguration(), null);
        app.Use(HttpServer.Errors);
        app.UseRouting();
        app.MapGet("/v2/health/live", ModelEndpoints.Live);
        app.MapGet("/v2/health/ready", context => Ready(context, host));
        app.MapGet("/v1/workers", context => Workers(context, host));
        app.MapGet("/metrics", context => Metrics(context, host));
        app.MapFallback("{**path}", context => Answers.Error(context, StatusCodes.Status404NotFound, "a worker's listener has /v2/health/live, /v2/health/ready, /v1/workers and /metrics"));
        return app;
    }

    // A worker that waits is as ready as one that leads: it is there to take over. One that cannot ask the database is not.
    private static Task Ready(HttpContext context, WorkerHost host) => host.Workers.SelectMany(worker => worker.Conditions).Any(one => one.Condition.Kind == ConditionKind.OutboxUnreachable)
        ? Answers.Error(context, StatusCodes.Status503ServiceUnavailable, "the database does not answer")
        : Answers.Json(context, StatusCodes.Status200OK, json =>
        {
            json.WriteStartObject();
            json.WriteBoolean("ready", true);
            json.WriteEndObject();
        });

    private static Task Workers(HttpContext context, WorkerHost host) => Answers.Json(context, StatusCodes.Status200OK, json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("workers");
        foreach (var worker in host.Workers)
        {
            json.WriteStartObject();
            json.WriteString("role", worker.Name);
            json.WriteBoolean("leading", worker.IsLeading);
            json.WriteNumber("fence", worker.Fence);
            json.WriteNumber("take_overs", worker.TakeOvers);
            json.WriteNumber("logs", worker.Logs);
            json.WriteStartArray("conditions");
            foreach (var (logId, condition) in worker.Conditions)
            {
                json.WriteStartObject();
                if (logId is { } log) json.WriteString("log", log.ToString());
                json.WriteString("kind", condition.Kind.ToString());
                json.WriteString("text", condition.Text);
                json.WriteString("advice", condition.Advice);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static async Task Metrics(HttpContext context, WorkerHost host)
    {
        var text = new PrometheusText();
        WorkerMetrics.Append(text, host.Workers);
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), context.RequestAborted);
    }
}
