using System.Text.Json;
using OpenGradient.Engine.LanguageModels.Loading;

namespace OpenGradient.Engine.LanguageModels.OnnxRuntime;

/// <summary>What <c>genai_config.json</c> says of a decoder. Immutable, and within bounds that a machine can hold.</summary>
internal sealed record GenAiConfig
{
    public const string FileName = "genai_config.json";

    private static readonly string[] OtherParts = ["encoder", "vision", "speech", "embedding"];

    public required string Architecture { get; init; }

    public required string ModelFile { get; init; }

    public required int VocabularySize { get; init; }

    public required int ContextLength { get; init; }

    public required int HiddenSize { get; init; }

    public required int Layers { get; init; }

    public required int KeyValueHeads { get; init; }

    public required int HeadSize { get; init; }

    public required IReadOnlyList<int> EndTokens { get; init; }

    public required int? BeginToken { get; init; }

    public required GenAiNames Names { get; init; }

    /// <exception cref="LanguageModelLoadException">Not a configuration of a decoder that is served; the message names the field.</exception>
    public static GenAiConfig Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            // A name given twice would be read in one way here and in another way elsewhere.
            using var document = JsonDocument.Parse(json.ToArray(), new JsonDocumentOptions { AllowDuplicateProperties = false });
            var model = new GenAiJson(document.RootElement, "").Part("model");
            if (Array.Find(OtherParts, part => model.Find(part) is not null) is { } other)
                throw new LanguageModelLoadException($"{FileName}: 'model.{other}': only models that are a decoder and nothing else are served");
            return Read(model, model.Part("decoder"));
        }
        catch (JsonException error)
        {
            throw new LanguageModelLoadException($"{FileName} is not JSON: {error.Message}", error);
        }
    }

    private static GenAiConfig Read(GenAiJson model, GenAiJson decoder)
    {
        foreach (var part in (string[])["pipeline", "sliding_window"])
        {
            if (decoder.Find(part) is { ValueKind: not JsonValueKind.Null })
                throw new LanguageModelLoadException($"{FileName}: 'model.decoder.{part}' is not served");
        }

        var vocabulary = model.Number("vocab_size", 2, 1 << 24);
        return new GenAiConfig
        {
            Architecture = model.Text("type", null),
            ModelFile = PlainFile(decoder.Text("filename", null)),
            VocabularySize = vocabulary,
            ContextLength = model.Number("context_length", 2, 1 << 24),
            HiddenSize = decoder.Number("hidden_size", 1, 1 << 20),
            Layers = decoder.Number("num_hidden_layers", 1, 1024),
            KeyValueHeads = decoder.Number("num_key_value_heads", 1, 1024),
            HeadSize = decoder.Number("head_size", 1, 1024),
            EndTokens = model.Tokens("eos_token_id", vocabulary),
            BeginToken = model.Tokens("bos_token_id", vocabulary) is [var begin, ..] ? begin : null,
            Names = GenAiNames.Read(decoder),
        };
    }

    private static string PlainFile(string name) =>
        name == Path.GetFileName(name) && name is not "." and not ".." && !name.Contains('\0', StringComparison.Ordinal)
            ? name
            : throw new LanguageModelLoadException($"{FileName}: 'model.decoder.filename': '{name}' is not the name of a file in the folder");
}
