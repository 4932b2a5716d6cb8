using System.Text.Json;
using System.Text.Unicode;
using OpenGradient.Engine.LanguageModels.Tokenization.Decoding;
using OpenGradient.Engine.LanguageModels.Tokenization.Models;
using OpenGradient.Engine.LanguageModels.Tokenization.Normalization;
using OpenGradient.Engine.LanguageModels.Tokenization.PreTokenization;

namespace OpenGradient.Engine.LanguageModels.Tokenization;

/// <summary>A <c>tokenizer.json</c>, read into the parts of a tokenizer. What is not understood is refused by name.</summary>
internal sealed class TokenizerFile
{
    // The largest published file is 33 MB.
    private const int MaxBytes = 128 << 20;

    private TokenizerFile(FilePart file)
    {
        // Cutting and filling up are the caller's business, not the file's.
        file.Only("version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model");
        var model = file.RequiredPart("model");
        var type = model.Text("type") ?? (model.Has("merges") ? "BPE" : "Unigram");
        Vocabulary = new Vocabulary();
        Normalizer = file.Part("normalizer") is { } normalizer ? NormalizerReader.Read(normalizer) : null;
        ITokenModel? unigram = null;
        switch (type)
        {
            case "BPE": ReadVocabulary(model); break;
            case "Unigram": unigram = UnigramModel.Read(model, Vocabulary); break;
            default: throw model.Refuse($"the model '{type}' is not understood");
        }

        Added = AddedTokens.Read(file, Vocabulary, Normalizer);
        Model = unigram ?? BytePairModel.Read(model, Vocabulary, text => Vocabulary.IdOf(text) ?? Added.Find(text)?.Id);
        PreTokenizer = file.Part("pre_tokenizer") is { } preTokenizer ? PreTokenizerReader.Read(preTokenizer) : null;
        Around = file.Part("post_processor") is { } processor
            ? PostProcessor.Read(processor, id => Vocabulary.TextOf(id) is not null || Added.Find(id) is not null)
            : PostProcessor.None;
        Decoder = DecoderReader.Read(file.Part("decoder"));
    }

    public Vocabulary Vocabulary { get; }

    public AddedTokens Added { get; }

    public INormalizer? Normalizer { get; }

    public IPreTokenizer? PreTokenizer { get; }

    public ITokenModel Model { get; }

    public PostProcessor Around { get; }

    public DecodePlan Decoder { get; }

    public static TokenizerFile Read(ReadOnlySpan<byte> json)
    {
        if (json.Length > MaxBytes) throw new TokenizerException($"tokenizer.json has {json.Length} bytes, more than {MaxBytes}");
        if (!Utf8.IsValid(json)) throw new TokenizerException("tokenizer.json is not UTF-8");
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 64 });
            using var document = JsonDocument.ParseValue(ref reader);
            if (reader.Read()) throw new TokenizerException("tokenizer.json: there is something after its end");
            return new TokenizerFile(new FilePart(document.RootElement, "the file"));
        }
        catch (InvalidOperationException error)
        {
            // A field's name with half a surrogate pair, which JSON can escape.
            throw new TokenizerException("tokenizer.json: a name is not well-formed Unicode", error);
        }
        catch (JsonException error)
        {
            throw new TokenizerException($"tokenizer.json is not JSON: {error.Message}", error);
        }
    }

    private void ReadVocabulary(FilePart model)
    {
        foreach (var entry in model.Object("vocab").EnumerateObject())
        {
            string text;
            try
            {
                text = entry.Name;
            }
            catch (InvalidOperationException)
            {
                throw model.Refuse("'vocab' has a token that is not well-formed Unicode");
            }

            if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetInt32(out var id)) throw model.Refuse($"'{Vocabulary.Shown(text)}' has no whole number as its id");
            Vocabulary.Add(text, id, model);
        }
    }
}
