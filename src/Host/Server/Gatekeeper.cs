using System.Globalization;
using OpenGradient.Engine.Host.Live;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Host.Server;

/// <summary>What every request passes first: Host header, API key and its limit, and the headers that every answer carries.</summary>
public static class Gatekeeper
{
    private const string PagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <param name="app">The listener's pipeline.</param>
    /// <param name="http">Whose hosts and keys are accepted.</param>
    /// <param name="keys">Null where no key is asked for.</param>
    public static void UseGatekeeper(this IApplicationBuilder app, ListenerConfiguration http, ApiKeys? keys)
    {
        var hosts = http.AllowedHosts.ToHashSet(StringComparer.OrdinalIgnoreCase);
        app.Use(async (context, next) =>
        {
            var headers = context.Response.Headers;
            headers["X-Content-Type-Options"] = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Content-Security-Policy"] = PagePolicy;
            headers["Cache-Control"] = "no-store";

            // A page of another origin that resolves its name to this machine sends its own Host header: refused (DNS rebinding).
            if (!hosts.Contains(context.Request.Host.Host))
            {
                await Answers.Error(context, StatusCodes.Status400BadRequest, $"host '{context.Request.Host.Host}' is not one that this server answers for");
                return;
            }

            // A page of another origin may send simple posts without asking first; it could not read the answer, but it could spend and fill.
            if (context.Request.Headers.Origin.ToString() is { Length: > 0 } origin && !(Uri.TryCreate(origin, UriKind.Absolute, out var from) && from.Authority == context.Request.Host.Value))
            {
                await Answers.Error(context, StatusCodes.Status403Forbidden, "requests from pages of another origin are not answered");
                return;
            }

            if (keys is not null && !IsOpen(context.Request, http.PublicViews) && !await Admit(context, keys)) return;
            await next(context);
        });
    }

    // Probes of an orchestrator carry no key and learn nothing but up or down. Public views show leaf hashes, paths and
    // stages: what auditors and witnesses are meant to see.
    private static bool IsOpen(HttpRequest request, bool publicViews)
    {
        if (!HttpMethods.IsGet(request.Method)) return false;
        var path = request.Path;
        if (path == "/v2/health/live" || path == "/v2/health/ready") return true;
        return publicViews && (path == "/" || path == "/v1/overview" || path == "/v1/events" || path == "/v1/audit" || path == "/v1/log" || (path.StartsWithSegments("/v1/evidence") && !request.QueryString.HasValue)
            || path.StartsWithSegments("/v1/leaves") || path.StartsWithSegments("/log") || PageFiles.Has(path));
    }

    private static async Task<bool> Admit(HttpContext context, ApiKeys keys)
    {
        if (keys.Find(Presented(context.Request)) is not { } key)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await Answers.Error(context, StatusCodes.Status401Unauthorized, "a valid API key is needed: Authorization: Bearer KEY");
            return false;
        }

        CallerIdentity.Set(context, keys.CallerOf(key));
        if (keys.Count(key) is not { } wait) return true;
        context.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        await Answers.Error(context, StatusCodes.Status429TooManyRequests, "this API key has used up its requests for this minute");
        return false;
    }

    private static string? Presented(HttpRequest request)
    {
        var authorization = request.Headers.Authorization.ToString();
        return authorization.StartsWith("Bearer ", StringComparison.Ordinal) ? authorization[7..] : request.Headers["X-API-Key"].ToString();
    }
}
