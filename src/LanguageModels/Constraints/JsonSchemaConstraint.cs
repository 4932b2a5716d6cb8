using System.Buffers;
using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Constraints.Grammars;
using OpenGradient.Engine.LanguageModels.Constraints.Schemas;
using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels.Constraints;

/// <summary>
/// Answers that are JSON and follow a schema (docs/language-models/json-schema.md). Every answer that ends validates; not every
/// valid text can be written: properties come in the schema's order, and white space is at most one space after colons and commas.
/// </summary>
public static class JsonSchemaConstraint
{
    private static readonly byte[] ObjectSchema = "{\"type\":\"object\"}"u8.ToArray();

    /// <summary>How schemas are read: nested as deeply as answers may be, twice over, and no name twice.</summary>
    internal static JsonDocumentOptions Reading { get; } = new() { MaxDepth = 2 * Grammar.MaxDepth, AllowDuplicateProperties = false };

    /// <param name="schema">UTF-8 JSON, at most 256 KiB.</param>
    /// <exception cref="JsonSchemaException">Not a schema, one with keywords that are not understood, or one that nothing satisfies; the message names the place.</exception>
    public static ITokenConstraintSource Compile(ReadOnlyMemory<byte> schema, Tokenizer tokenizer) => Compile(schema, TokenVocabulary.Of(tokenizer));

    /// <summary>The same over a vocabulary; a schema that was compiled lately is found again.</summary>
    /// <param name="schema">UTF-8 JSON, at most 256 KiB.</param>
    /// <exception cref="JsonSchemaException">Not a schema, one with keywords that are not understood, or one that nothing satisfies; the message names the place.</exception>
    public static ITokenConstraintSource Compile(ReadOnlyMemory<byte> schema, TokenVocabulary vocabulary)
    {
        ArgumentNullException.ThrowIfNull(vocabulary);
        var document = SchemaDocument.Parse(schema);
        var description = Compact(document.Root.Element);
        return vocabulary.Keep(Hash256.Sha256(description), () => new GrammarConstraintSource(Build(document), vocabulary, description));
    }

    /// <summary>Any JSON object.</summary>
    public static ITokenConstraintSource AnyObject(Tokenizer tokenizer) => Compile(ObjectSchema, tokenizer);

    /// <summary>Throws what <see cref="Compile(ReadOnlyMemory{byte}, Tokenizer)"/> would throw.</summary>
    /// <param name="schema">UTF-8 JSON.</param>
    /// <exception cref="JsonSchemaException">The message names the place.</exception>
    public static void Check(ReadOnlyMemory<byte> schema) => Build(SchemaDocument.Parse(schema));

    private static Grammar Build(SchemaDocument document)
    {
        try
        {
            return GrammarBuilder.Build(document);
        }
        catch (InvalidOperationException error)
        {
            // What .NET's reader throws for an escaped half of a surrogate pair, wherever it was.
            throw new JsonSchemaException("the schema has a text that is not valid Unicode", error);
        }
    }

    /// <summary>The schema without white space, names and order as given: what the receipt commits to.</summary>
    private static byte[] Compact(JsonElement schema)
    {
        var bytes = new ArrayBufferWriter<byte>();
        try
        {
            using var writer = new Utf8JsonWriter(bytes);
            schema.WriteTo(writer);
        }
        catch (InvalidOperationException error)
        {
            throw new JsonSchemaException("the schema has a text that is not valid Unicode", error);
        }

        return bytes.WrittenSpan.ToArray();
    }
}

/// <summary>A schema that cannot be used. The message names the place and the keyword.</summary>
public sealed class JsonSchemaException : Exception
{
    public JsonSchemaException(string message) : base(message) { }

    public JsonSchemaException() { }

    public JsonSchemaException(string message, Exception innerException) : base(message, innerException) { }
}
