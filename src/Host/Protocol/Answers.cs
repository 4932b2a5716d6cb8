using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using OpenGradient.Engine.Host.Protocol.OpenAi;

namespace OpenGradient.Engine.Host.Protocol;

/// <summary>Writes JSON answers without reflection.</summary>
public static class Answers
{
    // Quotation marks stay legible in a terminal. Nobody reads these bytes as HTML: they are sent as JSON, with nosniff.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The Open Inference Protocol's error body: <c>{"error": "…"}</c>; under the paths of OpenAI's API that API's.</summary>
    public static Task Error(HttpContext context, int status, string message)
    {
        if (OpenAiError.Covers(context.Request.Path)) return OpenAiError.Write(context, status, message);
        return Json(context, status, json =>
        {
            json.WriteStartObject();
            json.WriteString("error", message);
            json.WriteEndObject();
        });
    }

    public static async Task Json(HttpContext context, int status, Action<Utf8JsonWriter> write)
    {
        var buffer = Render(write);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = buffer.WrittenCount;
        await context.Response.Body.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }

    public static ArrayBufferWriter<byte> Render(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(buffer, Options);
        write(json);
        json.Flush();
        return buffer;
    }
}
