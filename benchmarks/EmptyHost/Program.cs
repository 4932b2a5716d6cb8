// What og's figures over HTTP are compared with: ASP.NET Core as og sets it up (the same SDK, slim builder, logging level, no
// server header) with two endpoints that do nothing. Usage: OpenGradient.Engine.EmptyHost PORT; ends when standard input does.
using System.Net;

var port = int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture);
var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
builder.Configuration.Sources.Clear();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.ConfigureKestrel(kestrel =>
{
    kestrel.AddServerHeader = false;
    kestrel.Listen(IPAddress.Loopback, port);
});
var app = builder.Build();
app.MapGet("/empty", static context =>
{
    context.Response.ContentLength = 0;
    return Task.CompletedTask;
});

// Reads the body whole and answers with as many bytes as the header asks for.
app.MapPost("/echo", static async context =>
{
    var body = new byte[context.Request.ContentLength ?? 0];
    await context.Request.Body.ReadExactlyAsync(body, context.RequestAborted);
    var answer = new byte[int.Parse(context.Request.Headers["Answer-Bytes"].ToString(), System.Globalization.CultureInfo.InvariantCulture)];
    context.Response.ContentType = "application/octet-stream";
    context.Response.ContentLength = answer.Length;
    await context.Response.Body.WriteAsync(answer, context.RequestAborted);
});
await app.StartAsync();
Console.Out.WriteLine("ready");
while (await Console.In.ReadLineAsync() is not null) { }
await app.StopAsync();
