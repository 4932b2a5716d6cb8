using System.Buffers;
using System.Text;
using System.Text.Json;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>One JSON object on one line of standard output.</summary>
internal sealed class JsonLine : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly Utf8JsonWriter _json;

    public JsonLine()
    {
        // Printed for people and files, never into a page: + may stay +.
        _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        _json.WriteStartObject();
    }

    public JsonLine Add(string name, string? value)
    {
        _json.WriteString(name, value);
        return this;
    }

    public JsonLine Add(string name, long value)
    {
        _json.WriteNumber(name, value);
        return this;
    }

    public JsonLine Add(string name, bool value)
    {
        _json.WriteBoolean(name, value);
        return this;
    }

    /// <param name="digits">After the point; more would be noise.</param>
    public JsonLine Add(string name, double? value, int digits = 3)
    {
        if (value is { } number && double.IsFinite(number)) _json.WriteNumber(name, Math.Round(number, digits));
        else _json.WriteNull(name);
        return this;
    }

    public JsonLine Begin(string name)
    {
        _json.WriteStartObject(name);
        return this;
    }

    public JsonLine End()
    {
        _json.WriteEndObject();
        return this;
    }

    public void Print()
    {
        _json.WriteEndObject();
        _json.Flush();
        Console.Out.WriteLine(Encoding.UTF8.GetString(_buffer.WrittenSpan));
        Console.Out.Flush();
    }

    public void Dispose() => _json.Dispose();
}
