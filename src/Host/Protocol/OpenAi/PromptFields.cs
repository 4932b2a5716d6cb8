using System.Text.Json;

namespace OpenGradient.Engine.Host.Protocol.OpenAi;

/// <summary>One prompt: text, or tokens where the caller has tokenized it.</summary>
internal sealed record PromptText(string? Text, int[]? Tokens, string Path);

/// <summary>Reads <c>prompt</c> and <c>input</c>, which come as a string, an array of strings, an array of token ids, or an array of such arrays.</summary>
internal static class PromptFields
{
    /// <param name="most">Prompts in one request.</param>
    public static IReadOnlyList<PromptText> Read(Fields fields, string name, int most)
    {
        if (fields.Any(name) is not { } given) throw OpenAiException.Missing(name);
        if (given.ValueKind == JsonValueKind.String) return [new PromptText(given.GetString(), null, name)];
        if (given.ValueKind != JsonValueKind.Array) throw OpenAiException.WrongType(name, "a string, an array of strings, an array of token ids, or an array of such arrays");
        if (given.GetArrayLength() == 0) throw OpenAiException.Invalid(name, "is empty");
        if (given[0].ValueKind == JsonValueKind.Number) return [new PromptText(null, Tokens(given, name), name)];
        if (given.GetArrayLength() > most) throw OpenAiException.Invalid(name, $"has more than {most} entries");
        return [.. given.EnumerateArray().Select((entry, index) => One(entry, $"{name}[{index}]"))];
    }

    private static PromptText One(JsonElement entry, string path) => entry.ValueKind switch
    {
        JsonValueKind.String => new PromptText(entry.GetString(), null, path),
        JsonValueKind.Array => new PromptText(null, Tokens(entry, path), path),
        _ => throw OpenAiException.WrongType(path, "a string or an array of token ids"),
    };

    private static int[] Tokens(JsonElement array, string path)
    {
        var tokens = new int[array.GetArrayLength()];
        var index = 0;
        foreach (var token in array.EnumerateArray())
        {
            if (token.ValueKind != JsonValueKind.Number || !token.TryGetInt32(out tokens[index]) || tokens[index] < 0) throw OpenAiException.WrongType($"{path}[{index}]", "a token id");
            index++;
        }

        return tokens.Length > 0 ? tokens : throw OpenAiException.Invalid(path, "is empty");
    }
}
