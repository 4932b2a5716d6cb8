using System.Text;
using System.Text.Json;

namespace OpenGradient.Engine.Host.Client;

/// <summary>One request of an input file.</summary>
/// <param name="Note">What the file says about it, for example its true label.</param>
/// <param name="Body">A request of the Open Inference Protocol.</param>
public sealed record InputItem(string? Note, ReadOnlyMemory<byte> Body);

/// <summary>Input files: one request of the protocol, or a list of objects that each hold one under <c>request</c>.</summary>
public static class InputFile
{
    private const long MaxSize = 256 << 20;

    /// <exception cref="FormatException">The file is neither; the message names it.</exception>
    public static IReadOnlyList<InputItem> Read(string path)
    {
        if (!File.Exists(path)) throw new FormatException($"input file '{path}' does not exist");
        if (new FileInfo(path).Length > MaxSize) throw new FormatException($"input file '{path}' is larger than {MaxSize} bytes");
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object) return [new InputItem(null, Bytes(root))];
            if (root.ValueKind == JsonValueKind.Array) return [.. root.EnumerateArray().Select(item => Item(item, path))];
        }
        catch (JsonException e)
        {
            throw new FormatException($"input file '{path}': malformed JSON at line {e.LineNumber + 1}");
        }

        throw new FormatException($"input file '{path}' is neither a request nor a list of them");
    }

    private static InputItem Item(JsonElement item, string path)
    {
        if (item.ValueKind != JsonValueKind.Object || !item.TryGetProperty("request", out var request))
            throw new FormatException($"input file '{path}': an entry has no 'request'");
        var notes = item.EnumerateObject().Where(property => property.Name != "request").Select(property => $"{property.Name} {property.Value}");
        return new InputItem(string.Join(", ", notes), Bytes(request));
    }

    private static byte[] Bytes(JsonElement element) => Encoding.UTF8.GetBytes(element.GetRawText());
}
