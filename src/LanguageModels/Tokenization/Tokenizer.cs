namespace OpenGradient.Engine.LanguageModels.Tokenization;

/// <summary>Text to token ids and back, as a <c>tokenizer.json</c> describes it. Safe for concurrent calls.</summary>
public sealed class Tokenizer
{
    /// <summary>Ids run from 0 to below this, added tokens included.</summary>
    public int VocabularySize => throw new NotImplementedException();

    /// <exception cref="TokenizerException">Not a tokenizer that is understood whole; the message names the part.</exception>
    public static Tokenizer Parse(ReadOnlySpan<byte> tokenizerJson) => throw new NotImplementedException();

    public int[] Encode(string text, bool addSpecialTokens) => throw new NotImplementedException();

    public string Decode(ReadOnlySpan<int> tokens, bool skipSpecialTokens) => throw new NotImplementedException();

    public int? IdOf(string token) => throw new NotImplementedException();

    public string TokenText(int token) => throw new NotImplementedException();

    /// <summary>The UTF-8 bytes that a token adds to a text; none for special tokens.</summary>
    public ReadOnlySpan<byte> BytesOf(int token) => throw new NotImplementedException();

    public bool IsSpecial(int token) => throw new NotImplementedException();

    public StreamingDetokenizer StartDetokenizer(bool skipSpecialTokens) => throw new NotImplementedException();
}

/// <summary>Turns tokens into text as they come: whole characters only. One per answer.</summary>
public sealed class StreamingDetokenizer
{
    /// <summary>What became certain with this token; may be empty.</summary>
    public string Append(int token) => throw new NotImplementedException();

    /// <summary>What was held back; an unfinished character becomes U+FFFD.</summary>
    public string Finish() => throw new NotImplementedException();
}

/// <summary>A tokenizer file that cannot be used. The message names the part.</summary>
public sealed class TokenizerException : Exception
{
    public TokenizerException(string message) : base(message) { }

    public TokenizerException() { }

    public TokenizerException(string message, Exception innerException) : base(message, innerException) { }
}
