using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>An object of a configuration file, read by field names with errors that say which file and field. Null counts as absent, as it does for those who write these files.</summary>
internal readonly struct JsonFields
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    private readonly JsonElement _object;
    private readonly string _file;
    private readonly string _path;

    private JsonFields(JsonElement element, string file, string path)
    {
        _object = element;
        _file = file;
        _path = path;
    }

    public IEnumerable<JsonProperty> Entries => _object.EnumerateObject();

    /// <summary>The caller disposes the document after the last use of the fields.</summary>
    /// <exception cref="LanguageModelLoadException">Not one JSON object, or one with a name twice.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> json, string file, out JsonFields fields)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json, Strict);
        }
        catch (JsonException error)
        {
            throw new LanguageModelLoadException($"{file}: not JSON: {error.Message.ReplaceLineEndings(" ")}", error);
        }
        catch (InvalidOperationException error)
        {
            throw new LanguageModelLoadException($"{file}: a name in it is not UTF-8", error);
        }

        if (document.RootElement.ValueKind == JsonValueKind.Object)
        {
            fields = new JsonFields(document.RootElement, file, "");
            return document;
        }

        document.Dispose();
        throw new LanguageModelLoadException($"{file}: not a JSON object");
    }

    public LanguageModelLoadException Refused(string what) => new($"{_file}: {what}");

    /// <summary>Whether the field is there and says something.</summary>
    public bool Has(string name) => Find(name) is not null;

    public JsonElement? Find(string name) =>
        _object.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public int Integer(string name, int least, int most) => OptionalInteger(name, least, most) ?? throw Refused($"{_path}{name} is missing");

    public int? OptionalInteger(string name, int least, int most)
    {
        if (Find(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out var number) || number < least || number > most)
            throw Refused($"{_path}{name} is {Excerpt(value)}, not a whole number between {least} and {most}");
        return number;
    }

    /// <summary>A positive finite number, or null when it is absent.</summary>
    public float? OptionalPositive(string name)
    {
        if (Find(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetSingle(out var number) || !float.IsFinite(number) || number <= 0)
            throw Refused($"{_path}{name} is {Excerpt(value)}, not a positive number");
        return number;
    }

    public float Positive(string name) => OptionalPositive(name) ?? throw Refused($"{_path}{name} is missing");

    public bool Flag(string name, bool absent) => Find(name) switch
    {
        null => absent,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Refused($"{_path}{name} is {Excerpt(value)}, neither true nor false"),
    };

    public string? Text(string name)
    {
        if (Find(name) is not { } value) return null;
        return value.ValueKind == JsonValueKind.String ? TextOf(value, name) : throw Refused($"{_path}{name} is {Excerpt(value)}, not a text");
    }

    public JsonFields? Object(string name)
    {
        if (Find(name) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Object ? new JsonFields(value, _file, $"{_path}{name}.") : throw Refused($"{_path}{name} is {Excerpt(value)}, not an object");
    }

    /// <summary>The objects of an array.</summary>
    public IReadOnlyList<JsonFields> Objects(string name)
    {
        var (file, path) = (_file, _path);
        return Find(name) is { ValueKind: JsonValueKind.Array } value && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Object)
            ? [.. value.EnumerateArray().Select(item => new JsonFields(item, file, $"{path}{name}[]."))]
            : throw Refused($"{_path}{name} is not an array of objects");
    }

    /// <summary>The texts of an array; null when it is absent.</summary>
    public IReadOnlyList<string>? Texts(string name)
    {
        if (Find(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Array || value.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.String))
            throw Refused($"{_path}{name} is {Excerpt(value)}, not an array of texts");
        var self = this;
        return [.. value.EnumerateArray().Select(item => self.TextOf(item, name))];
    }

    /// <summary>A token id or an array of them; none when it is absent.</summary>
    public IReadOnlyList<int> Tokens(string name, int vocabulary)
    {
        if (Find(name) is not { } value) return [];
        JsonElement[] items = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        var tokens = new List<int>();
        foreach (var item in items)
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out var token) || token < 0 || token >= vocabulary)
                throw Refused($"{_path}{name} has {Excerpt(item)}, not a token id below the vocabulary's {vocabulary}");
            tokens.Add(token);
        }

        return tokens;
    }

    private string TextOf(JsonElement value, string name)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException error)
        {
            throw new LanguageModelLoadException($"{_file}: {_path}{name} is not UTF-8", error);
        }
    }

    private static string Excerpt(JsonElement value) => Quoted.Of(value.GetRawText());
}
