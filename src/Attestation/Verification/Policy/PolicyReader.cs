using System.Buffers;
using System.Text.Json;

namespace OpenGradient.Engine.Attestation.Verification.Policy;

/// <summary>
/// Reads one object of the policy strictly. Every field has one type; after the last one is asked for, <see cref="End"/> refuses what
/// nobody asked for, so that a misspelt name never means a default.
/// </summary>
internal sealed class PolicyReader
{
    private const int MostEntries = 4096;
    private const int LongestText = 512;
    private const long LongestSeconds = 10L * 366 * 24 * 3600;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    private readonly JsonElement _element;
    private readonly string _path;
    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    /// <exception cref="PolicyException">Not an object.</exception>
    public PolicyReader(JsonElement element, string path)
    {
        if (element.ValueKind != JsonValueKind.Object) throw new PolicyException(path, "must be an object");
        (_element, _path) = (element, path);
    }

    public bool Has(string name) => _element.TryGetProperty(name, out _);

    /// <summary>The names in this object, in the file's order; for objects whose names are data ("Genoa", "0").</summary>
    public IReadOnlyList<string> Names => [.. _element.EnumerateObject().Take(MostEntries).Select(property => property.Name)];

    /// <summary>An error at one of this object's fields, for rules that the reader does not know.</summary>
    public PolicyException Error(string name, string flaw) => new(PathOf(name), flaw);

    public string? Text(string name) => Field(name) is { } value ? TextOf(value, PathOf(name)) : null;

    public string[] Strings(string name, string[] @default)
    {
        if (Field(name) is not { } value) return @default;
        return [.. Entries(value, PathOf(name)).Select((entry, index) => TextOf(entry, $"{PathOf(name)}[{index}]"))];
    }

    public bool Flag(string name, bool @default)
    {
        if (Field(name) is not { } value) return @default;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Error(name, "must be true or false");
    }

    public long Number(string name, long @default, long min, long max)
    {
        if (Field(name) is not { } value) return @default;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out var number) || number < min || number > max)
            throw Error(name, $"must be a whole number from {min} to {max}");
        return number;
    }

    /// <summary>Numbers of a list, each in the range, none twice.</summary>
    public IReadOnlyList<long> Numbers(string name, IReadOnlyList<long> @default, long min, long max)
    {
        if (Field(name) is not { } value) return @default;
        var numbers = new List<long>();
        foreach (var entry in Entries(value, PathOf(name)))
        {
            if (entry.ValueKind != JsonValueKind.Number || !entry.TryGetInt64(out var number) || number < min || number > max || numbers.Contains(number))
                throw Error(name, $"must hold different whole numbers from {min} to {max}");
            numbers.Add(number);
        }

        return numbers;
    }

    /// <summary>One number, or a list of different ones; a list must name at least one.</summary>
    public IReadOnlyList<long> NumberOrNumbers(string name, IReadOnlyList<long> @default, long min, long max)
    {
        if (Field(name) is not { } value) return @default;
        if (value.ValueKind != JsonValueKind.Array) return [Number(name, 0, min, max)];
        return Numbers(name, @default, min, max) is { Count: > 0 } numbers ? numbers : throw Error(name, "names no number");
    }

    /// <summary>Whole seconds from 1 to ten years.</summary>
    public TimeSpan Seconds(string name, TimeSpan @default) =>
        Has(name) ? TimeSpan.FromSeconds(Number(name, 0, 1, LongestSeconds)) : Missing(name, @default);

    /// <summary>Lower-case hexadecimal texts of this many bytes each; none where the field is absent.</summary>
    public IReadOnlyList<string> Hex(string name, int bytes) => Hex(name, bytes, []);

    public IReadOnlyList<string> Hex(string name, int bytes, IReadOnlyList<string> @default)
    {
        if (Field(name) is null) return @default;
        var texts = Strings(name, []);
        for (var i = 0; i < texts.Length; i++)
        {
            if (!IsHex(texts[i], bytes)) throw new PolicyException($"{PathOf(name)}[{i}]", $"must be {bytes} bytes in lower-case hexadecimal");
        }

        return texts;
    }

    public PolicyReader? Section(string name) => Field(name) is { } value ? new PolicyReader(value, PathOf(name)) : null;

    /// <summary>Objects of a list; none where the field is absent.</summary>
    public IReadOnlyList<PolicyReader> Sections(string name)
    {
        if (Field(name) is not { } value) return [];
        return [.. Entries(value, PathOf(name)).Select((entry, index) => new PolicyReader(entry, $"{PathOf(name)}[{index}]"))];
    }

    /// <exception cref="PolicyException">The object has a field that nobody asked for.</exception>
    public void End()
    {
        foreach (var property in _element.EnumerateObject())
        {
            if (!_asked.Contains(property.Name)) throw Error(Shown(property.Name), "is not a known field");
        }
    }

    public static bool IsHex(string text, int bytes) => text.Length == 2 * bytes && !text.AsSpan().ContainsAnyExcept(HexDigits);

    private TimeSpan Missing(string name, TimeSpan @default)
    {
        _asked.Add(name);
        return @default;
    }

    private JsonElement? Field(string name)
    {
        _asked.Add(name);
        return _element.TryGetProperty(name, out var value) ? value : null;
    }

    private static IEnumerable<JsonElement> Entries(JsonElement value, string path)
    {
        if (value.ValueKind != JsonValueKind.Array) throw new PolicyException(path, "must be a list");
        if (value.GetArrayLength() > MostEntries) throw new PolicyException(path, $"has more than {MostEntries} entries");
        return value.EnumerateArray();
    }

    private static string TextOf(JsonElement value, string path)
    {
        if (value.ValueKind != JsonValueKind.String) throw new PolicyException(path, "must be a text");
        string text;
        try
        {
            text = value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new PolicyException(path, "is not Unicode");
        }

        return text.Length <= LongestText ? text : throw new PolicyException(path, $"is longer than {LongestText} characters");
    }

    private string PathOf(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    // A name of the file in an error message: short and on one line.
    private static string Shown(string name) => new([.. name.Take(64).Select(letter => char.IsControl(letter) ? '?' : letter)]);
}
