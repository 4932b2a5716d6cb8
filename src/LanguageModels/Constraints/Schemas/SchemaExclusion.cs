using OpenGradient.Engine.LanguageModels.Constraints.Automata;

namespace OpenGradient.Engine.LanguageModels.Constraints.Schemas;

/// <summary>Whether no value can satisfy two schemas. A "no" may be wrong; a "yes" is not.</summary>
internal static class SchemaExclusion
{
    // How deep properties are compared: tagged unions differ in a constant of their own.
    private const int MaxDepth = 3;

    public static bool AreDisjoint(IReadOnlyList<SchemaFacts> left, IReadOnlyList<SchemaFacts> right, SchemaExpansion expansion, int depth = 0)
    {
        // Beyond this a comparison costs more than it is worth.
        if (left.Count * right.Count > 1024) return false;
        foreach (var one in left)
            foreach (var other in right)
                if (!AreDisjoint(one, other, expansion, depth)) return false;
        return true;
    }

    private static bool AreDisjoint(SchemaFacts left, SchemaFacts right, SchemaExpansion expansion, int depth)
    {
        if (left.Contradiction is not null || right.Contradiction is not null) return true;
        if (left.Values is not null && right.Values is not null)
        {
            var known = left.Values.Select(JsonValues.Identity).ToHashSet(StringComparer.Ordinal);
            return !right.Values.Any(value => known.Contains(JsonValues.Identity(value)));
        }

        var (leftTypes, rightTypes) = (TypesOf(left), TypesOf(right));
        var shared = leftTypes & rightTypes;
        // An integer is also written as 1.0, and a number may be one: integers and numbers meet.
        if (shared == JsonTypes.None) return true;
        if ((shared & ~JsonTypes.Number) == JsonTypes.None) return AreApart(left, right) || AreApart(right, left);
        if (shared == JsonTypes.String) return left.MinLength > (right.MaxLength ?? int.MaxValue) || right.MinLength > (left.MaxLength ?? int.MaxValue);
        if (shared == JsonTypes.Array) return left.MinItems > (right.MaxItems ?? int.MaxValue) || right.MinItems > (left.MaxItems ?? int.MaxValue);
        return shared == JsonTypes.Object && depth < MaxDepth && (DifferInAProperty(left, right, expansion, depth) || DifferInAProperty(right, left, expansion, depth));
    }

    private static JsonTypes TypesOf(SchemaFacts facts)
    {
        if (facts.Values is null) return facts.Types;
        var types = JsonTypes.None;
        foreach (var value in facts.Values) types |= GrammarBuilder.TypeOf(value);
        return facts.Types & types;
    }

    private static bool AreApart(SchemaFacts low, SchemaFacts high) =>
        low.Most is { } most && high.Least is { } least && (most.Value < least.Value || (most.Value == least.Value && (most.IsExclusive || least.IsExclusive)));

    /// <summary>Whether one demands a property that the other cannot have so.</summary>
    private static bool DifferInAProperty(SchemaFacts one, SchemaFacts other, SchemaExpansion expansion, int depth)
    {
        foreach (var name in one.Required)
        {
            var (its, others) = (PlacesOf(one, name), PlacesOf(other, name));
            // What neither declares may be anything in both.
            if (others.Count == 0) continue;
            if (AreDisjoint(expansion.Expand(its), expansion.Expand(others), expansion, depth + 1)) return true;
        }

        return false;
    }

    private static List<SchemaPlace> PlacesOf(SchemaFacts facts, string name)
    {
        var places = new List<SchemaPlace>();
        foreach (var piece in facts.Objects)
        {
            if (piece.Properties.TryGetValue(name, out var declared)) places.Add(declared);
            else if (piece.Additional is { } additional) places.Add(additional);
        }

        return places;
    }
}
