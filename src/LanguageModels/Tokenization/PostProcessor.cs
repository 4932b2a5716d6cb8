using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Tokenization;

/// <summary>The tokens that are put around one text when special tokens are asked for.</summary>
internal sealed class PostProcessor
{
    private const int MaxSteps = 64;
    private const int MaxDepth = 8;

    private PostProcessor(int[] before, int[] after) => (Before, After) = (before, after);

    public static PostProcessor None { get; } = new([], []);

    public int[] Before { get; }

    public int[] After { get; }

    /// <param name="known">Whether an id is some token's.</param>
    public static PostProcessor Read(FilePart part, Func<int, bool> known, int depth = 0)
    {
        var type = part.RequiredText("type");
        switch (type)
        {
            case "ByteLevel":
                // It moves offsets, which are not kept here, and no tokens.
                part.Only("add_prefix_space", "trim_offsets", "use_regex");
                return None;
            case "Sequence":
                if (depth >= MaxDepth) throw part.Refuse($"sequences nested more than {MaxDepth} deep");
                var all = None;
                foreach (var step in part.Only("processors").Parts("processors", MaxSteps).Select(each => Read(each, known, depth + 1)))
                    all = new PostProcessor([.. step.Before, .. all.Before], [.. all.After, .. step.After]);
                return all;
            case "TemplateProcessing":
                return ReadTemplate(part.Only("single", "pair", "special_tokens"), known);
            case "BertProcessing" or "RobertaProcessing":
                part.Only("sep", "cls", "trim_offsets", "add_prefix_space");
                return new PostProcessor([Pair(part, "cls", known)], [Pair(part, "sep", known)]);
            default:
                throw part.Refuse($"the post-processor '{type}' is not understood");
        }
    }

    private static PostProcessor ReadTemplate(FilePart part, Func<int, bool> known)
    {
        var special = part.RequiredPart("special_tokens");
        var (before, after, seen) = (new List<int>(), new List<int>(), false);
        foreach (var item in part.Parts("single", MaxSteps))
        {
            item.Only("SpecialToken", "Sequence");
            if (item.Part("SpecialToken") is { } token)
            {
                var ids = special.RequiredPart(token.Only("id", "type_id").RequiredText("id")).Only("id", "ids", "tokens");
                foreach (var id in ids.Array("ids").EnumerateArray()) (seen ? after : before).Add(Id(id, ids, known));
                if (before.Count + after.Count > MaxSteps) throw part.Refuse($"more than {MaxSteps} special tokens");
                continue;
            }

            var sequence = item.RequiredPart("Sequence").Only("id", "type_id").RequiredText("id");
            if (sequence != "A" || seen) throw item.Refuse("a template of one text has the sequence A once");
            seen = true;
        }

        return seen ? new PostProcessor([.. before], [.. after]) : throw part.Refuse("the template leaves the text out");
    }

    private static int Pair(FilePart part, string field, Func<int, bool> known) =>
        part.Array(field) is var pair && pair.GetArrayLength() == 2 ? Id(pair[1], part, known) : throw part.Refuse($"'{field}' is not a token and its id");

    private static int Id(JsonElement value, FilePart part, Func<int, bool> known) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var id) && known(id) ? id : throw part.Refuse($"{value} is no token's id");
}
