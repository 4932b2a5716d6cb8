namespace OpenGradient.Engine.LanguageModels.Tokenization.Decoding;

/// <summary>A token on its way from its text in the vocabulary to what it adds to an answer.</summary>
internal struct TokenForm
{
    /// <summary>Null once <see cref="Bytes"/> are there.</summary>
    public string? Text;

    /// <summary>For tokens that may be parts of characters.</summary>
    public byte[]? Bytes;

    public bool First;

    public bool Last;
}

/// <summary>A step of decoding that looks at one token.</summary>
internal interface IDecodeStep
{
    void Apply(ref TokenForm token);
}
