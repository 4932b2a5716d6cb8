using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Protocol;
using OpenGradient.Engine.LanguageModels.Generation;

namespace OpenGradient.Engine.Host.Client;

/// <summary>A generated answer in a file, with everything that its receipt holds digests of (docs/language-models.md, "Replay").</summary>
/// <param name="Receipt">Null where the host gives none.</param>
/// <param name="Prompt">Token ids.</param>
/// <param name="Tokens">Every token of the answer, those that ended it included.</param>
/// <param name="Parameters">Canonical bytes (docs/formats.md, "Generation parameters").</param>
/// <param name="Constraint">What the answer had to follow; null for nothing.</param>
/// <param name="Previous">Leaf hash of the head before the last; zeros for an answer with one head.</param>
public sealed record SavedGeneration(
    Receipt? Receipt, string Text, int[] Prompt, int[] Tokens, FinishReason Finish, byte[] Parameters, byte[]? Constraint, Hash256 Previous)
{
    /// <summary>Value of <c>kind</c>: what tells these files from answers of the inference protocol.</summary>
    public const string Kind = "og.generation";

    private const int NewestVersion = 1;

    /// <summary>From an answer that was asked for with <c>og_replay</c>.</summary>
    /// <exception cref="FormatException">The host did not say what replaying needs.</exception>
    public static SavedGeneration Of(GenerationReader answer)
    {
        var replay = answer.Replay ?? throw new FormatException("the host's answer has no 'og_replay': it cannot be saved for replaying");
        return Parse(replay, answer.Receipt, answer.Text);
    }

    /// <summary>Whether bytes are such a file.</summary>
    public static bool IsOne(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("kind", out var kind) && kind.ValueKind == JsonValueKind.String && kind.ValueEquals(Kind);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <exception cref="FormatException">Not such a file; the message names it and what was wrong.</exception>
    public static SavedGeneration Read(ReadOnlyMemory<byte> bytes, string source)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            var root = document.RootElement;
            if (root.GetProperty("kind").GetString() != Kind) throw new FormatException($"its kind is not {Kind}");
            if (root.GetProperty("version").GetInt32() > NewestVersion) throw new FormatException($"it is of a newer version; this build reads up to {NewestVersion}");
            var receipt = root.TryGetProperty("receipt", out var given) && given.ValueKind != JsonValueKind.Null ? Receipt.Decode(given.GetBytesFromBase64()) : null;
            return Parse(root, receipt, root.GetProperty("text").GetString() ?? "");
        }
        catch (JsonException error)
        {
            throw new FormatException($"saved answer '{source}': malformed JSON at line {error.LineNumber + 1}");
        }
        catch (Exception error) when (error is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new FormatException($"saved answer '{source}': {error.Message}");
        }
    }

    /// <summary>Writes it beside and renames it over: a reader never sees half a file.</summary>
    public async Task Write(string file, CancellationToken cancellation)
    {
        var temporary = file + ".tmp";
        await File.WriteAllBytesAsync(temporary, Answers.Render(WriteTo).WrittenMemory, cancellation);
        File.Move(temporary, file, overwrite: true);
        Console.WriteLine($"wrote {file}");
    }

    private static SavedGeneration Parse(JsonElement json, Receipt? receipt, string text)
    {
        var finish = json.GetProperty("finish").GetInt32();
        if (!Enum.IsDefined((FinishReason)finish)) throw new FormatException($"'finish' {finish} is unknown");
        return new SavedGeneration(
            receipt, text, Tokens(json, "prompt"), Tokens(json, "tokens"), (FinishReason)finish, json.GetProperty("parameters").GetBytesFromBase64(),
            json.TryGetProperty("constraint", out var constraint) && constraint.ValueKind != JsonValueKind.Null ? constraint.GetBytesFromBase64() : null,
            Hash256.Parse(json.GetProperty("previous").GetString() ?? ""));

        static int[] Tokens(JsonElement json, string name) => [.. json.GetProperty(name).EnumerateArray().Select(token => token.GetInt32())];
    }

    private void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("kind", Kind);
        json.WriteNumber("version", NewestVersion);
        json.WriteString("text", Text);
        Write(json, "prompt", Prompt);
        Write(json, "tokens", Tokens);
        json.WriteNumber("finish", (int)Finish);
        json.WriteBase64String("parameters", Parameters);
        if (Constraint is not null) json.WriteBase64String("constraint", Constraint);
        json.WriteString("previous", Previous.ToString());
        if (Receipt is not null) json.WriteBase64String("receipt", Receipt.Encode());
        json.WriteEndObject();

        static void Write(Utf8JsonWriter json, string name, int[] tokens)
        {
            json.WriteStartArray(name);
            foreach (var token in tokens) json.WriteNumberValue(token);
            json.WriteEndArray();
        }
    }
}
