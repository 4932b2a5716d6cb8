using System.Globalization;
using System.Text.Json;

namespace OpenGradient.Engine.Host.Protocol.OpenAi;

/// <summary>The fields of one JSON object of a request. A field that is null counts as absent, as in that API.</summary>
/// <param name="json">An object.</param>
/// <param name="path">Where it stands in the request, with a dot at its end; empty for the request itself.</param>
internal readonly struct Fields(JsonElement json, string path = "")
{
    public string PathOf(string name) => path + name;

    /// <summary>Null when absent.</summary>
    public JsonElement? Any(string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public bool Has(string name) => Any(name) is not null;

    public string? Text(string name)
    {
        if (Any(name) is not { } value) return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw OpenAiException.WrongType(PathOf(name), "a string");
    }

    public string NeededText(string name) => Text(name) ?? throw OpenAiException.Missing(PathOf(name));

    public bool Flag(string name, bool preset = false)
    {
        if (Any(name) is not { } value) return preset;
        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw OpenAiException.WrongType(PathOf(name), "true or false"),
        };
    }

    public int? Integer(string name, int least, int most)
    {
        if (Any(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out var number)) throw OpenAiException.WrongType(PathOf(name), "an integer");
        return number >= least && number <= most ? (int)number : throw OutOfRange(name, least.ToString(CultureInfo.InvariantCulture), most.ToString(CultureInfo.InvariantCulture));
    }

    public float? Number(string name, double least, double most)
    {
        if (Any(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var number)) throw OpenAiException.WrongType(PathOf(name), "a number");
        return number >= least && number <= most ? (float)number : throw OutOfRange(name, least.ToString(CultureInfo.InvariantCulture), most.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Null when absent.</summary>
    public Fields? Object(string name)
    {
        if (Any(name) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Object ? new Fields(value, PathOf(name) + ".") : throw OpenAiException.WrongType(PathOf(name), "an object");
    }

    /// <summary>Null when absent.</summary>
    public JsonElement? Array(string name)
    {
        if (Any(name) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Array ? value : throw OpenAiException.WrongType(PathOf(name), "an array");
    }

    /// <summary>Refuses a field that the API has and this host does not, unless it says what happens anyway.</summary>
    public void Refuse(string name, string instead = "")
    {
        if (Has(name)) throw OpenAiException.Unsupported(PathOf(name), instead);
    }

    private OpenAiException OutOfRange(string name, string least, string most) => OpenAiException.Invalid(PathOf(name), $"is not between {least} and {most}");
}
