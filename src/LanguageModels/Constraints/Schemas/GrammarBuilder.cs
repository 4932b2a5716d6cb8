using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Constraints.Automata;
using OpenGradient.Engine.LanguageModels.Constraints.Grammars;

namespace OpenGradient.Engine.LanguageModels.Constraints.Schemas;

/// <summary>Builds the grammar of a schema: a node per set of schemas that must hold together, made when first named.</summary>
internal sealed class GrammarBuilder
{
    private const int MaxNodes = 20_000;

    // States of all strings' and numbers' automata together.
    private const int MaxStates = 200_000;

    private static readonly TextNode AnyString = new(JsonStrings.Free);
    private static readonly ByteAutomaton AnyNumber = JsonStrings.OfAscii(NumberTexts.AnyNumber);
    private static readonly ByteAutomaton AnyInteger = JsonStrings.OfAscii(NumberTexts.Integers(null, null));

    // What a string under a pattern may hold: what has one spelling.
    private static readonly Term Spellable = Term.Repeat(new TermSet(CodePointSet.Of(('\b', '\n'), ('\f', '\r'), (' ', 0xD7FF), (0xE000, CodePointSet.Last))), 0, null);

    private readonly SchemaExpansion _expansion;
    private readonly List<GrammarNode?> _nodes = [];
    private readonly Dictionary<string, int> _known = new(StringComparer.Ordinal);
    private readonly Queue<(int Index, IReadOnlyList<SchemaPlace> Places)> _open = [];
    private readonly Dictionary<string, ByteAutomaton?> _strings = new(StringComparer.Ordinal);
    private string? _reason;
    private int _states;

    private GrammarBuilder(SchemaDocument document) => _expansion = new SchemaExpansion(document);

    /// <exception cref="JsonSchemaException">The schema is not supported, too large, or satisfied by nothing.</exception>
    public static Grammar Build(SchemaDocument document)
    {
        var builder = new GrammarBuilder(document);
        builder.IndexOf([document.Root]);
        while (builder._open.TryDequeue(out var next)) builder._nodes[next.Index] = builder.Make(next.Places);
        var grammar = new Grammar(builder._nodes!);
        return grammar.IsSatisfiable
            ? grammar
            : throw new JsonSchemaException($"nothing satisfies the schema: {builder._reason ?? $"every value would nest more than {Grammar.MaxDepth} objects and arrays"}");
    }

    public static JsonTypes TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => JsonTypes.Null,
        JsonValueKind.True or JsonValueKind.False => JsonTypes.Boolean,
        JsonValueKind.Object => JsonTypes.Object,
        JsonValueKind.Array => JsonTypes.Array,
        JsonValueKind.String => JsonTypes.String,
        _ => DecimalNumber.Parse(value.GetRawText()) is { IsInteger: true } ? JsonTypes.Integer : JsonTypes.Fractional,
    };

    /// <summary>The node of values that satisfy all of these; without any, of every value.</summary>
    private int IndexOf(IReadOnlyList<SchemaPlace> places)
    {
        SchemaPlace[] followed = [.. places.Select(_expansion.Follow).Where(place => place.Element.ValueKind != JsonValueKind.True).DistinctBy(place => place.Pointer)];
        var key = string.Join('\n', followed.Select(place => place.Pointer).Order(StringComparer.Ordinal));
        // The root's pointer is empty too.
        if (followed.Length == 0) key = "any";
        if (_known.TryGetValue(key, out var known)) return known;
        var index = Reserve();
        _known[key] = index;
        _open.Enqueue((index, followed));
        return index;
    }

    private int Reserve()
    {
        if (_nodes.Count >= MaxNodes) throw new JsonSchemaException($"the schema has more than {MaxNodes} different parts");
        _nodes.Add(null);
        return _nodes.Count - 1;
    }

    private GrammarNode Make(IReadOnlyList<SchemaPlace> places)
    {
        var alternatives = new List<GrammarNode>();
        foreach (var facts in _expansion.Expand(places))
        {
            if (facts.Contradiction is not null) _reason ??= facts.Contradiction;
            else alternatives.AddRange(NodesOf(facts));
        }

        if (alternatives.Count == 1) return alternatives[0];
        var indexes = new List<int>(alternatives.Count);
        foreach (var alternative in alternatives)
        {
            var index = Reserve();
            _nodes[index] = alternative;
            indexes.Add(index);
        }

        return new ChoiceNode(indexes);
    }

    private IEnumerable<GrammarNode> NodesOf(SchemaFacts facts)
    {
        if (facts.Values is not null)
        {
            byte[][] texts = [.. facts.Values.Where(value => Fits(facts, value)).Select(JsonValues.Spell)];
            if (texts.Length > 0) yield return new TextNode(new TextsAutomaton(texts));
            else _reason ??= $"{facts.Place}: no value of the enumeration fits the other keywords";
            yield break;
        }

        var types = facts.Written;
        var words = new List<byte[]>();
        if (types.HasFlag(JsonTypes.Null)) words.Add("null"u8.ToArray());
        if (types.HasFlag(JsonTypes.Boolean)) words.AddRange(["true"u8.ToArray(), "false"u8.ToArray()]);
        if (words.Count > 0) yield return new TextNode(new TextsAutomaton(words));
        if (types.HasFlag(JsonTypes.String) && StringNode(facts) is { } text) yield return text;
        if ((types & JsonTypes.Number) != 0 && NumberNode(facts, types) is { } number) yield return number;
        if (types.HasFlag(JsonTypes.Object)) yield return MakeObject(facts);
        if (types.HasFlag(JsonTypes.Array)) yield return MakeArray(facts);
    }

    private static bool Fits(SchemaFacts facts, JsonElement value)
    {
        var type = TypeOf(value);
        if ((facts.Types & type) == 0) return false;
        switch (type)
        {
            case JsonTypes.String:
                var text = value.GetString()!;
                var length = text.EnumerateRunes().Count();
                return length >= facts.MinLength && length <= (facts.MaxLength ?? int.MaxValue) && (facts.Patterns.Count == 0 || Pattern(facts, withLength: false).Matches(text));
            case JsonTypes.Integer or JsonTypes.Fractional:
                if (DecimalNumber.Parse(value.GetRawText()) is not { } number) return false;
                return (facts.Least is not { } least || number > least.Value || (number == least.Value && !least.IsExclusive))
                    && (facts.Most is not { } most || number < most.Value || (number == most.Value && !most.IsExclusive));
            case JsonTypes.Object or JsonTypes.Array:
                // Whether a whole object fits other keywords would need a validator; published schemas do not ask for one.
                if ((facts.Mentioned & type) != 0) throw new JsonSchemaException($"{facts.Place}: objects and arrays in enum or const are not supported beside keywords for them");
                return true;
            default: return true;
        }
    }

    private TextNode? StringNode(SchemaFacts facts)
    {
        if (facts.MaxLength < facts.MinLength)
        {
            _reason ??= $"{facts.Place}: minLength {facts.MinLength} is above maxLength {facts.MaxLength}";
            return null;
        }

        if (facts.Patterns.Count == 0) return facts.MinLength == 0 && facts.MaxLength is null ? new TextNode(AnyString.Automaton) : new TextNode(JsonStrings.Free, facts.MinLength, facts.MaxLength);
        var key = string.Join('\n', facts.Patterns.Select(pattern => pattern.Pattern)) + $"\n{facts.MinLength} {facts.MaxLength}";
        if (!_strings.TryGetValue(key, out var automaton))
        {
            var dfa = Pattern(facts, withLength: true);
            _strings[key] = automaton = dfa.IsEmpty ? null : Lower(facts.Patterns[0].Place, () => JsonStrings.Of(dfa));
        }

        if (automaton is null) _reason ??= $"{facts.Patterns[0].Place}: no string matches all patterns and lengths";
        return automaton is null ? null : new TextNode(automaton);
    }

    private static CodePointDfa Pattern(SchemaFacts facts, bool withLength)
    {
        var place = facts.Patterns[0].Place;
        try
        {
            var dfa = CodePointDfa.Of(Spellable);
            foreach (var (at, pattern) in facts.Patterns)
            {
                place = at;
                dfa = dfa.Intersect(CodePointDfa.Of(PatternParser.Parse(pattern)));
            }

            return withLength ? dfa.WithLength(facts.MinLength, facts.MaxLength) : dfa;
        }
        catch (PatternException error)
        {
            throw new JsonSchemaException($"{place}: the pattern {error.Message}", error);
        }
    }

    private TextNode? NumberNode(SchemaFacts facts, JsonTypes types)
    {
        var isInteger = !types.HasFlag(JsonTypes.Fractional);
        if (facts.Least is null && facts.Most is null) return new TextNode(isInteger ? AnyInteger : AnyNumber);
        try
        {
            var dfa = isInteger
                ? NumberTexts.Integers(
                    facts.Least is { } least ? least.IsExclusive ? least.Value.Floor() + 1 : least.Value.Ceiling() : null,
                    facts.Most is { } most ? most.IsExclusive ? most.Value.Ceiling() - 1 : most.Value.Floor() : null)
                : NumberTexts.Numbers(facts.Least, facts.Most);
            if (!dfa.IsEmpty) return new TextNode(Lower(facts.Place, () => JsonStrings.OfAscii(dfa)));
            _reason ??= $"{facts.Place}: no {(isInteger ? "integer" : "number")} is within its bounds";
            return null;
        }
        catch (PatternException error)
        {
            throw new JsonSchemaException($"{facts.Place}: a bound {error.Message}", error);
        }
    }

    private TableAutomaton Lower(string place, Func<TableAutomaton> build)
    {
        try
        {
            var automaton = build();
            if ((_states += automaton.Count) > MaxStates) throw new PatternException("and the others need too many states together");
            return automaton;
        }
        catch (PatternException error)
        {
            throw new JsonSchemaException($"{place}: the automaton {error.Message}", error);
        }
    }

    private ObjectNode MakeObject(SchemaFacts facts)
    {
        string[] declared = [.. facts.Objects.SelectMany(piece => piece.Names).Distinct(StringComparer.Ordinal)];
        var required = facts.Required.ToHashSet(StringComparer.Ordinal);
        var properties = new List<GrammarProperty>();
        foreach (var name in declared.Concat(facts.Required.Except(declared, StringComparer.Ordinal)))
        {
            var places = new List<SchemaPlace>();
            foreach (var piece in facts.Objects)
            {
                if (piece.Properties.TryGetValue(name, out var place)) places.Add(place);
                else if (piece.Additional is { } additional) places.Add(additional);
            }

            properties.Add(new GrammarProperty(JsonStrings.Spell(name), IndexOf(places), required.Contains(name)));
        }

        SchemaPlace[] others = [.. facts.Objects.Select(piece => piece.Additional).OfType<SchemaPlace>()];
        // An object that names its properties and does not speak of others has no others: whoever names them means these.
        var isClosed = others.Length == 0 && facts.Objects.Any(piece => piece.HasProperties);
        return new ObjectNode(properties, isClosed ? -1 : IndexOf(others));
    }

    private ArrayNode MakeArray(SchemaFacts facts)
    {
        if (facts.MaxItems < facts.MinItems) _reason ??= $"{facts.Place}: minItems {facts.MinItems} is above maxItems {facts.MaxItems}";
        var length = facts.Arrays.Count == 0 ? 0 : facts.Arrays.Max(piece => piece.First.Count);
        var first = new int[length];
        for (var i = 0; i < length; i++)
            first[i] = IndexOf([.. facts.Arrays.Select(piece => i < piece.First.Count ? piece.First[i] : piece.Rest).OfType<SchemaPlace>()]);
        SchemaPlace[] rest = [.. facts.Arrays.Select(piece => piece.Rest).OfType<SchemaPlace>()];
        // Items by place and nothing said of others: no others, unless more are asked for.
        var isClosed = rest.Length == 0 && length > 0 && facts.MinItems <= length;
        return new ArrayNode(first, isClosed ? -1 : IndexOf(rest), facts.MinItems, facts.MaxItems);
    }
}
