using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using OpenGradient.Engine.Host.Endpoints;
using OpenGradient.Engine.Host.Endpoints.OpenAi;
using OpenGradient.Engine.Host.Live;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Host.Protocol.OpenAi;
using OpenGradient.Engine.Hosting;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Host.Server;

/// <summary>The HTTP face of a running house: the public listener and, apart from it, the operator's.</summary>
internal static class HttpServer
{
    // Headers are small; a client that sends more is not one of ours.
    private const int MaxHeaderBytes = 32 * 1024;

    // Waits for durable and verified end by themselves within it; an anchor may be minutes away and is not waited for.
    private static readonly TimeSpan WaitsWhileStopping = TimeSpan.FromSeconds(2);

    public static WebApplication Build(EngineHost host, Drain drain, TimeProvider clock)
    {
        var configuration = host.Configuration;
        var listen = ConfigurationCheck.Address(configuration.Http.Listen)!;
        var operatorListen = configuration.OperatorListen is { } address ? ConfigurationCheck.Address(address) : null;
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Configuration.Sources.Clear();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        // The command hears the signals and drains before it stops the server; the framework's own lifetime would stop it at once.
        builder.Services.AddSingleton<IHostLifetime, SignalsElsewhere>();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(30));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null; // RequestBody holds the cap: the server's own cuts the connection before the caller has read why
            kestrel.Limits.MaxRequestHeadersTotalSize = MaxHeaderBytes;
            Listen(kestrel, listen, Certificate(configuration.Http));
            if (operatorListen is not null) Listen(kestrel, operatorListen, null);
        });

        var app = builder.Build();
        var keys = configuration.Http.ApiKeysFile is { } file ? ApiKeys.Read(file, configuration.Http.RequestsPerMinutePerKey, clock) : null;
        if (operatorListen is not null)
            app.MapWhen(context => context.Connection.LocalPort == operatorListen.Port, branch => Operator(branch, host, drain));
        app.Use(drain.CloseConnections);
        app.UseGatekeeper(configuration.Http, keys);
        app.Use(Errors);
        app.UseRouting();
        Public(app, host, drain, clock);
        return app;
    }

    private static void Public(WebApplication app, EngineHost host, Drain drain, TimeProvider clock)
    {
        var recent = host.Settlement is { } settlement ? new RecentStatements(settlement) : null;
        var rate = new RequestRate(clock);
        var stopping = app.Lifetime.ApplicationStopping;
        if (recent is not null) _ = recent.Run(stopping);
        _ = Sample(host, rate, clock, stopping);

        var cut = new CancellationTokenSource();
        stopping.Register(() => cut.CancelAfter(WaitsWhileStopping));
        var folder = host.Settlement is not null && host.Configuration.Http.KeepAnswers == "disk" ? new AnswerFolder(new LinuxDisk(), new DataFolder(host.Configuration.Data).Answers) : null;
        var kept = new KeptAnswers(clock, folder);
        var releases = new Releases(host, kept, cut.Token);
        var infer = new InferEndpoint(host, kept, releases);
        var models = new ModelEndpoints(host, drain);
        var receipts = new ReceiptEndpoints(host);
        var audits = new AuditEndpoints(host);
        var open = new PublicEndpoints(host, new OverviewJson(host, recent, rate, clock), recent, clock);
        app.MapGet("/v2", ModelEndpoints.Server);
        app.MapGet("/v2/health/live", ModelEndpoints.Live);
        app.MapGet("/v2/health/ready", models.Ready);
        app.MapGet("/v2/models/{model}", context => models.Model(context, Value(context, "model"), null));
        app.MapGet("/v2/models/{model}/ready", context => models.ModelReady(context, Value(context, "model"), null));
        app.MapPost("/v2/models/{model}/infer", context => drain.Guard(context, () => infer.Handle(context, Value(context, "model"), null)));
        app.MapGet("/v2/models/{model}/versions/{version}", context => models.Model(context, Value(context, "model"), Value(context, "version")));
        app.MapGet("/v2/models/{model}/versions/{version}/ready", context => models.ModelReady(context, Value(context, "model"), Value(context, "version")));
        app.MapPost("/v2/models/{model}/versions/{version}/infer", context => drain.Guard(context, () => infer.Handle(context, Value(context, "model"), Value(context, "version"))));
        app.MapGet("/v1/answers/{id}", context => infer.Fetch(context, Value(context, "id")));
        app.MapPost("/v1/receipts", receipts.Submit);
        app.MapGet("/v1/receipts/{id}", context => receipts.Status(context, Value(context, "id")));
        app.MapGet("/v1/receipts/{id}/events", context => receipts.Events(context, Value(context, "id")));
        app.MapDelete("/v1/receipts/{id}/inputs", context => audits.Erase(context, Value(context, "id")));
        app.MapGet("/v1/audit", audits.Status);
        app.MapGet("/v1/receipts/{id}/proof", context => receipts.Proof(context, Value(context, "id")));
        app.MapPost("/v1/bundles", receipts.Bundle);
        app.MapGet("/v1/overview", open.Overview);
        app.MapGet("/v1/events", open.Events);
        app.MapGet("/v1/leaves/{leaf}", context => open.Leaf(context, Value(context, "leaf")));
        app.MapGet("/v1/evidence", open.Evidence);
        app.MapGet("/v1/log", open.Log);
        app.MapGet("/v1/evidence/{epoch}", context => open.EvidenceOf(context, Value(context, "epoch")));
        app.MapGet("/log/{**path}", context => open.LogFile(context, Value(context, "path")));
        OpenAiEndpoints.Map(app, host, releases, drain);
        PageFiles.Map(app);
        app.MapFallback("{**path}", context => Answers.Error(context, StatusCodes.Status404NotFound, $"nothing is at {context.Request.Method} {context.Request.Path}"));
    }

    private static void Operator(IApplicationBuilder branch, EngineHost host, Drain drain)
    {
        var metrics = new MetricsEndpoint(host, drain);
        var repository = new RepositoryEndpoints(host.Repository);
        var audits = new AuditEndpoints(host);
        branch.UseGatekeeper(new ListenerConfiguration(), null);
        branch.Use(Errors);
        branch.UseRouting();
        branch.UseEndpoints(endpoints =>
        {
            endpoints.MapGet("/metrics", metrics.Handle);
            endpoints.Map("/v1/drain", drain.Handle);
            endpoints.MapDelete("/v1/audit/inputs", audits.EraseAll);
            endpoints.MapPost("/v1/backup", new BackupEndpoint(host).Handle);
            endpoints.MapPost("/v1/rotate", new RotateEndpoint(host).Handle);
            endpoints.MapPost("/v2/repository/index", repository.Index);
            endpoints.MapPost("/v2/repository/models/{model}/load", context => repository.Load(context, Value(context, "model")));
            endpoints.MapPost("/v2/repository/models/{model}/unload", context => repository.Unload(context, Value(context, "model")));
        });
        branch.Run(context => Answers.Error(context, StatusCodes.Status404NotFound, "the operator's listener has /metrics, /v1/drain, /v1/backup, /v1/rotate, /v1/audit/inputs and /v2/repository"));
    }

    /// <summary>The one place where what a caller did wrong, or what broke, becomes an answer.</summary>
    internal static async Task Errors(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (BadRequestException e) when (!context.Response.HasStarted)
        {
            await Answers.Error(context, StatusCodes.Status400BadRequest, e.Message);
        }
        catch (OpenAiException e) when (!context.Response.HasStarted)
        {
            if (e.RetryAfter is { } wait) context.Response.Headers.RetryAfter = Math.Max(1, Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            await OpenAiError.Write(context, e.Status, e.Message, e.Param, e.Code);
        }
        catch (BodyTooLongException e) when (!context.Response.HasStarted)
        {
            await Answers.Error(context, StatusCodes.Status413PayloadTooLarge, e.Message);
        }
        catch (Microsoft.AspNetCore.Http.BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            await Answers.Error(context, e.StatusCode, e.Message);
        }
        catch (OutboxUnavailableException away) when (!context.Response.HasStarted)
        {
            context.Response.Headers.RetryAfter = "1";
            await Answers.Error(context, StatusCodes.Status503ServiceUnavailable, away.Message);
        }
        catch (OutOfMemoryException) when (!context.Response.HasStarted)
        {
            // The heap's limit, met by one large request or by many: others fit again as soon as these are given up.
            context.Response.Headers.RetryAfter = "1";
            await Answers.Error(context, StatusCodes.Status503ServiceUnavailable, "there is not enough memory for this request now");
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested || context.Response.HasStarted)
        {
            // The caller has gone, or the host stops and its streams end: nobody to answer.
        }
    }

    private static async Task Sample(EngineHost host, RequestRate rate, TimeProvider clock, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            rate.Sample(host.Engine.Models.Sum(model => host.Engine.Statistics(model.Name, model.Version)?.Requests ?? 0));
            await Task.Delay(TimeSpan.FromMilliseconds(500), clock, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    internal static void Listen(KestrelServerOptions kestrel, Uri address, X509Certificate2? certificate)
    {
        var ip = address.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(address.Host.Trim('[', ']'));
        kestrel.Listen(ip, address.Port, options =>
        {
            if (certificate is not null) options.UseHttps(certificate);
        });
    }

    private static X509Certificate2? Certificate(ListenerConfiguration http)
    {
        if (http.TlsCertificateFile is null) return null;
        try
        {
            return X509Certificate2.CreateFromPemFile(http.TlsCertificateFile, http.TlsKeyFile);
        }
        catch (CryptographicException e)
        {
            throw new ConfigurationException([$"http.tlsCertificateFile '{http.TlsCertificateFile}' with http.tlsKeyFile '{http.TlsKeyFile}': {e.Message}"]);
        }
    }

    private static string Value(HttpContext context, string name) => context.Request.RouteValues[name] as string ?? "";

    internal sealed class SignalsElsewhere : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
