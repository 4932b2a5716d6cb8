using OpenGradient.Engine.LanguageModels.Tokenization;

namespace OpenGradient.Engine.LanguageModels.Constraints;

/// <summary>Answers that are JSON and follow a schema.</summary>
public static class JsonSchemaConstraint
{
    /// <param name="schema">UTF-8 JSON.</param>
    /// <exception cref="JsonSchemaException">Not a schema, one with keywords that are not understood, or one that nothing satisfies; the message names the place.</exception>
    public static ITokenConstraintSource Compile(ReadOnlyMemory<byte> schema, Tokenizer tokenizer) => throw new NotImplementedException();

    /// <summary>Any JSON object.</summary>
    public static ITokenConstraintSource AnyObject(Tokenizer tokenizer) => throw new NotImplementedException();
}

/// <summary>A schema that cannot be used. The message names the place and the keyword.</summary>
public sealed class JsonSchemaException : Exception
{
    public JsonSchemaException(string message) : base(message) { }

    public JsonSchemaException() { }

    public JsonSchemaException(string message, Exception innerException) : base(message, innerException) { }
}
