using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Loading;

namespace OpenGradient.Engine.LanguageModels.OnnxRuntime;

/// <summary>An object of the configuration, whose errors say where they are.</summary>
internal readonly struct GenAiJson
{
    // Longer than any name that exporters write; names end up in messages.
    private const int LongestText = 256;

    // Published models have up to five.
    private const int MostTokens = 64;

    private readonly JsonElement _element;
    private readonly string _path;

    public GenAiJson(JsonElement element, string path)
    {
        _path = path;
        _element = element.ValueKind == JsonValueKind.Object ? element : throw Bad(path, "is not an object");
    }

    public IEnumerable<string> Names => _element.EnumerateObject().Select(property => property.Name);

    public string Path(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    public JsonElement? Find(string name) => _element.TryGetProperty(name, out var value) ? value : null;

    public GenAiJson Part(string name) => new(Required(name), Path(name));

    /// <param name="standard">Where it is missing; null when it must be there.</param>
    public string Text(string name, string? standard)
    {
        var value = standard is null ? Required(name) : Find(name);
        if (value is null) return standard!;
        return value is { ValueKind: JsonValueKind.String } text && text.GetString() is { Length: > 0 and <= LongestText } found
            ? found
            : throw Bad(Path(name), $"is not a text of 1 to {LongestText} characters");
    }

    public int Number(string name, int least, int most) => Number(Required(name), Path(name), least, most);

    /// <summary>A token id, a list of them, or none.</summary>
    public IReadOnlyList<int> Tokens(string name, int vocabulary)
    {
        var path = Path(name);
        if (Find(name) is not { ValueKind: not JsonValueKind.Null } value) return [];
        if (value.ValueKind != JsonValueKind.Array) return [Number(value, path, 0, vocabulary - 1)];
        if (value.GetArrayLength() > MostTokens) throw Bad(path, $"lists more than {MostTokens} tokens");
        return [.. value.EnumerateArray().Select(token => Number(token, path, 0, vocabulary - 1))];
    }

    private static int Number(JsonElement value, string path, int least, int most) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= least && number <= most
            ? number
            : throw Bad(path, $"is not a whole number from {least} to {most}");

    private JsonElement Required(string name) => Find(name) ?? throw Bad(Path(name), "is missing");

    private static LanguageModelLoadException Bad(string path, string problem) => new($"{GenAiConfig.FileName}: '{path}' {problem}");
}
