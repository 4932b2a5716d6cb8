using OpenGradient.Engine.Host.Protocol;

namespace OpenGradient.Engine.Host.Live;

/// <summary>The live page's files, embedded in the executable and held in memory.</summary>
internal static class PageFiles
{
    private static readonly Dictionary<string, string> Types = new()
    {
        [".html"] = "text/html; charset=utf-8",
        [".css"] = "text/css; charset=utf-8",
        [".js"] = "text/javascript; charset=utf-8",
    };

    /// <summary>Whether a path is one of the page's files.</summary>
    public static bool Has(PathString path) =>
        path.Value is { Length: > 1 } value && typeof(PageFiles).Assembly.GetManifestResourceInfo($"page/{value[1..]}") is not null;

    /// <summary>Maps each file under its name, and the page itself at the root.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        var assembly = typeof(PageFiles).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith("page/", StringComparison.Ordinal)))
        {
            var name = resource["page/".Length..];
            using var stream = assembly.GetManifestResourceStream(resource)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            routes.MapGet(name == "index.html" ? "/" : $"/{name}", context => Send(context, content, Types[Path.GetExtension(name)]));
        }
    }

    private static Task Send(HttpContext context, byte[] content, string type)
    {
        context.Response.ContentType = type;
        context.Response.ContentLength = content.Length;
        return context.Response.Body.WriteAsync(content, context.RequestAborted).AsTask();
    }
}
