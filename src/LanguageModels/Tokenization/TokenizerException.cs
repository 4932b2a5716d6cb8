namespace OpenGradient.Engine.LanguageModels.Tokenization;

/// <summary>A tokenizer file that cannot be used, or a text that its pattern cannot be tried on in bounded work. The message names the part.</summary>
public sealed class TokenizerException : Exception
{
    public TokenizerException(string message) : base(message) { }

    public TokenizerException() { }

    public TokenizerException(string message, Exception innerException) : base(message, innerException) { }
}
