using System.Globalization;
using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

namespace OpenGradient.Engine.LanguageModels.Tokenization;

/// <summary>An object in a tokenizer file, read so that every refusal says where it stands.</summary>
internal readonly struct FilePart
{
    private readonly JsonElement _value;

    public FilePart(JsonElement value, string path)
    {
        if (value.ValueKind != JsonValueKind.Object) throw new TokenizerException($"tokenizer.json: {path} must be an object");
        _value = value;
        Path = path;
    }

    public string Path { get; }

    public TokenizerException Refuse(string what) => new($"tokenizer.json: {Path}: {what}");

    /// <summary>Refuses fields that nobody here knows: what they mean would be left out of the tokens.</summary>
    public FilePart Only(params ReadOnlySpan<string> fields)
    {
        foreach (var property in _value.EnumerateObject())
            if (property.Name != "type" && !fields.Contains(property.Name)) throw Refuse($"the field '{property.Name}' is not understood");
        return this;
    }

    public bool Has(string field) => Find(field) is not null;

    public FilePart? Part(string field) => Find(field) is { } value ? new FilePart(value, $"{Path}.{field}") : null;

    public FilePart RequiredPart(string field) => new(Required(field), $"{Path}.{field}");

    public JsonElement Array(string field) => Required(field) is { ValueKind: JsonValueKind.Array } value ? value : throw Refuse($"'{field}' must be an array");

    public JsonElement Object(string field) => Required(field) is { ValueKind: JsonValueKind.Object } value ? value : throw Refuse($"'{field}' must be an object");

    /// <summary>The objects of an array, at most so many.</summary>
    public IReadOnlyList<FilePart> Parts(string field, int most)
    {
        var array = Array(field);
        if (array.GetArrayLength() > most) throw Refuse($"'{field}' has {array.GetArrayLength()} entries, more than {most}");
        var parts = new List<FilePart>();
        foreach (var value in array.EnumerateArray()) parts.Add(new FilePart(value, $"{Path}.{field}[{parts.Count}]"));
        return parts;
    }

    public string? Text(string field) => Find(field) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => TextOf(value),
        _ => throw Refuse($"'{field}' must be a text"),
    };

    public string RequiredText(string field) => Text(field) ?? throw Refuse($"'{field}' is missing");

    public bool Flag(string field, bool otherwise) => Find(field) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        _ => throw Refuse($"'{field}' must be true or false"),
    };

    public int Number(string field, int otherwise) =>
        Find(field) is not { } value ? otherwise : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : throw Refuse($"'{field}' must be a whole number");

    /// <summary>A text of one code point.</summary>
    public string Letter(string field, string otherwise)
    {
        var letter = Text(field) ?? otherwise;
        return CodePoints.Of(letter).Length == 1 ? letter : throw Refuse($"'{field}' must be one letter");
    }

    /// <summary>A pattern, given as <c>{"Regex": ...}</c> or <c>{"String": ...}</c>. Null for an empty text, which matches nothing.</summary>
    public TextPattern? Pattern(string field)
    {
        var part = RequiredPart(field).Only("Regex", "String");
        if (part.Text("String") is { } text) return text.Length == 0 ? null : TextPattern.Literal(text);
        try
        {
            return TextPattern.Regex(part.RequiredText("Regex"));
        }
        catch (TokenizerException error)
        {
            throw part.Refuse(error.Message);
        }
    }

    /// <summary>A text of the file; half a surrogate pair, which JSON can escape, is refused.</summary>
    public string TextOf(JsonElement value)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Refuse("a text is not well-formed Unicode");
        }
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Path}");

    private JsonElement Required(string field) => Find(field) ?? throw Refuse($"'{field}' is missing");

    private JsonElement? Find(string field) =>
        _value.TryGetProperty(field, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;
}
