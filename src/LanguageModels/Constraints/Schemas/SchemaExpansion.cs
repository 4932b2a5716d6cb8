using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Constraints.Schemas;

/// <summary>
/// Schemas that must all hold, as alternatives of plain facts: references followed, <c>allOf</c> joined, every choice of
/// <c>anyOf</c> and <c>oneOf</c> taken. Work is bounded over the whole document.
/// </summary>
internal sealed class SchemaExpansion(SchemaDocument document)
{
    // Schemas read, over everything. Choices beside each other multiply: a hostile schema ends here.
    private const int MaxSteps = 50_000;

    // Alternatives of one value.
    private const int MaxAlternatives = 1024;

    // References from schema to schema without a property or an item in between.
    private const int MaxNesting = 128;

    private readonly HashSet<string> _exclusive = [];
    private int _steps;

    /// <exception cref="JsonSchemaException">A keyword is not supported, a reference leads in a circle, or the schema is too large.</exception>
    public IReadOnlyList<SchemaFacts> Expand(IReadOnlyList<SchemaPlace> places)
    {
        var start = new Draft(new SchemaFacts { Place = places.Count == 0 ? "#" : places[0].Name });
        foreach (var place in places) Collect(place, start, []);
        var finished = new List<SchemaFacts>();
        var open = new Stack<Draft>([start]);
        while (open.TryPop(out var draft))
        {
            if (draft.Facts.Contradiction is not null || draft.Choices.Count == 0)
            {
                if (finished.Count >= MaxAlternatives) throw new JsonSchemaException($"{draft.Facts.Place}: more than {MaxAlternatives} combinations of alternatives");
                finished.Add(draft.Facts);
                continue;
            }

            var choice = draft.Choices.Dequeue();
            // Last first onto the stack, so that alternatives come in the schema's order.
            for (var i = choice.Alternatives.Count - 1; i >= 0; i--)
            {
                var taken = draft.Copy();
                Collect(choice.Alternatives[i], taken, choice.Path);
                open.Push(taken);
            }
        }

        return finished;
    }

    /// <summary>Follows plain references, so that schemas reached on several ways are known to be one.</summary>
    public SchemaPlace Follow(SchemaPlace place)
    {
        for (var i = 0; i < MaxNesting; i++)
        {
            if (place.Element.ValueKind != JsonValueKind.Object || !place.Element.TryGetProperty("$ref"u8, out var reference)) return place;
            foreach (var property in place.Element.EnumerateObject())
                if (!property.NameEquals("$ref"u8) && !property.NameEquals("description"u8) && !property.NameEquals("title"u8)) return place;
            place = Target(place, reference);
        }

        throw Circle(place);
    }

    private void Collect(SchemaPlace place, Draft draft, IReadOnlyList<string> path)
    {
        if (++_steps > MaxSteps) throw new JsonSchemaException($"{place.Name}: the schema has too many combinations of alternatives");
        if (path.Contains(place.Pointer) || path.Count >= MaxNesting) throw Circle(place);
        if (!draft.Seen.Add(place.Pointer)) return;
        switch (place.Element.ValueKind)
        {
            case JsonValueKind.True: return;
            case JsonValueKind.False:
                draft.Facts.Contradict($"{place.Name}: false is satisfied by nothing");
                return;
            case JsonValueKind.Object: break;
            default: throw new JsonSchemaException($"{place.Name}: a schema is an object, true or false");
        }

        string[] inner = [.. path, place.Pointer];
        foreach (var keyword in place.Element.EnumerateObject())
        {
            switch (keyword.Name)
            {
                case "$ref":
                    Collect(Target(place, keyword.Value), draft, inner);
                    break;
                case "allOf":
                    foreach (var part in PartsOf(place, keyword)) Collect(part, draft, inner);
                    break;
                case "anyOf":
                    draft.Choices.Enqueue(new Choice(PartsOf(place, keyword), inner));
                    break;
                case "oneOf":
                    var parts = PartsOf(place, keyword);
                    CheckExclusive(place, parts);
                    draft.Choices.Enqueue(new Choice(parts, inner));
                    break;
                default:
                    SchemaKeywords.Read(draft.Facts, place, keyword.Name, keyword.Value);
                    break;
            }
        }

        SchemaKeywords.ReadParts(draft.Facts, place);
    }

    // One of several is any of several where no value satisfies two.
    private void CheckExclusive(SchemaPlace place, IReadOnlyList<SchemaPlace> parts)
    {
        if (!_exclusive.Add(place.Pointer)) return;
        var alternatives = parts.Select(part => Expand([part])).ToArray();
        for (var i = 0; i < parts.Count; i++)
        {
            for (var j = i + 1; j < parts.Count; j++)
            {
                if (++_steps > MaxSteps) throw new JsonSchemaException($"{place.Name}/oneOf: too many alternatives to compare");
                if (!SchemaExclusion.AreDisjoint(alternatives[i], alternatives[j], this))
                    throw place.Wrong("oneOf", $"alternatives {i} and {j} may hold together, and which values satisfy exactly one cannot be enforced; use anyOf");
            }
        }
    }

    private static IReadOnlyList<SchemaPlace> PartsOf(SchemaPlace place, JsonProperty keyword)
    {
        if (keyword.Value.ValueKind != JsonValueKind.Array || keyword.Value.GetArrayLength() == 0) throw place.Wrong(keyword.Name, "an array of schemas is expected");
        return [.. keyword.Value.EnumerateArray().Select((part, index) => place.Child(keyword.Name, index, part))];
    }

    private SchemaPlace Target(SchemaPlace place, JsonElement reference) => reference.ValueKind == JsonValueKind.String && reference.GetRawText().Length < 4096
        ? document.Resolve(place, reference.GetString()!)
        : throw place.Wrong("$ref", "a reference is a text");

    private static JsonSchemaException Circle(SchemaPlace place) =>
        new($"{place.Name}: references lead back here, or too far, without a property or an item in between");

    private sealed record Choice(IReadOnlyList<SchemaPlace> Alternatives, IReadOnlyList<string> Path);

    private sealed class Draft(SchemaFacts facts)
    {
        public SchemaFacts Facts { get; } = facts;

        public HashSet<string> Seen { get; private init; } = [];

        public Queue<Choice> Choices { get; private init; } = [];

        public Draft Copy() => new(Facts.Copy()) { Seen = [.. Seen], Choices = new Queue<Choice>(Choices) };
    }
}
