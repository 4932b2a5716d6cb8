using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Constraints.Automata;

namespace OpenGradient.Engine.LanguageModels.Constraints.Schemas;

/// <summary>Kinds of JSON values. An integer is a number without fraction; numbers are both kinds.</summary>
[Flags]
internal enum JsonTypes
{
    None = 0,
    Null = 1,
    Boolean = 2,
    Object = 4,
    Array = 8,
    String = 16,
    Integer = 32,
    Fractional = 64,
    Number = Integer | Fractional,
    All = 127,
}

/// <summary>What one schema says of objects.</summary>
/// <param name="Additional">Null where nothing is said.</param>
internal sealed record ObjectPiece(IReadOnlyDictionary<string, SchemaPlace> Properties, IReadOnlyList<string> Names, bool HasProperties, SchemaPlace? Additional);

/// <summary>What one schema says of arrays.</summary>
/// <param name="Rest">Null where nothing is said.</param>
internal sealed record ArrayPiece(IReadOnlyList<SchemaPlace> First, SchemaPlace? Rest);

/// <summary>
/// What a value must satisfy, all of it: the keywords of one or more schemas joined, with references followed and one
/// alternative of each choice taken.
/// </summary>
internal sealed class SchemaFacts
{
    /// <summary>Where it began, for messages.</summary>
    public required string Place { get; init; }

    public JsonTypes Types { get; private set; } = JsonTypes.All;

    /// <summary>Whether any schema named types.</summary>
    public bool NamesTypes { get; private set; }

    /// <summary>Types that keywords speak of.</summary>
    public JsonTypes Mentioned { get; set; }

    /// <summary>Null for no enumeration.</summary>
    public IReadOnlyList<JsonElement>? Values { get; private set; }

    public NumberBound? Least { get; private set; }

    public NumberBound? Most { get; private set; }

    public int MinLength { get; private set; }

    public int? MaxLength { get; private set; }

    /// <summary>Patterns of a string, with the keyword's place.</summary>
    public List<(string Place, string Pattern)> Patterns { get; private init; } = [];

    public int MinItems { get; private set; }

    public int? MaxItems { get; private set; }

    public List<ObjectPiece> Objects { get; private init; } = [];

    public List<ArrayPiece> Arrays { get; private init; } = [];

    public List<string> Required { get; private init; } = [];

    /// <summary>Why nothing satisfies it, if that was noticed.</summary>
    public string? Contradiction { get; private set; }

    public SchemaFacts Copy() => new()
    {
        Place = Place,
        Types = Types,
        NamesTypes = NamesTypes,
        Mentioned = Mentioned,
        Values = Values,
        Least = Least,
        Most = Most,
        MinLength = MinLength,
        MaxLength = MaxLength,
        Patterns = [.. Patterns],
        MinItems = MinItems,
        MaxItems = MaxItems,
        Objects = [.. Objects],
        Arrays = [.. Arrays],
        Required = [.. Required],
        Contradiction = Contradiction,
    };

    public void Contradict(string reason) => Contradiction ??= reason;

    public void Restrict(SchemaPlace place, JsonTypes types)
    {
        NamesTypes = true;
        Types &= types;
        if (Types == JsonTypes.None) Contradict($"{place.Name}/type: no type is left");
    }

    public void Enumerate(SchemaPlace place, string keyword, IReadOnlyList<JsonElement> values)
    {
        var known = Values?.Select(JsonValues.Identity).ToHashSet(StringComparer.Ordinal);
        Values = [.. values.Where(value => known is null || known.Contains(JsonValues.Identity(value))).DistinctBy(JsonValues.Identity, StringComparer.Ordinal)];
        if (Values.Count == 0) Contradict($"{place.Name}/{keyword}: no value is left");
    }

    public void AtLeast(SchemaPlace place, NumberBound bound)
    {
        if (Least is not { } least || bound.Value > least.Value || (bound.Value == least.Value && bound.IsExclusive)) Least = bound;
        CheckBounds(place);
    }

    public void AtMost(SchemaPlace place, NumberBound bound)
    {
        if (Most is not { } most || bound.Value < most.Value || (bound.Value == most.Value && bound.IsExclusive)) Most = bound;
        CheckBounds(place);
    }

    public void LengthAtLeast(int length) => MinLength = Math.Max(MinLength, length);

    public void LengthAtMost(int length) => MaxLength = Math.Min(MaxLength ?? int.MaxValue, length);

    public void ItemsAtLeast(int count) => MinItems = Math.Max(MinItems, count);

    public void ItemsAtMost(int count) => MaxItems = Math.Min(MaxItems ?? int.MaxValue, count);

    /// <summary>Types that an answer is made of: those named, else those that keywords speak of.</summary>
    public JsonTypes Written => NamesTypes || Mentioned == JsonTypes.None ? Types : Types & Mentioned;

    // Bounds speak of numbers alone: other types stay possible.
    private void CheckBounds(SchemaPlace place)
    {
        if (Least is not { } least || Most is not { } most) return;
        if (least.Value < most.Value || (least.Value == most.Value && !least.IsExclusive && !most.IsExclusive)) return;
        Types &= ~JsonTypes.Number;
        if (Written == JsonTypes.None) Contradict($"{place.Name}: no number is between {least.Value} and {most.Value}");
    }
}
