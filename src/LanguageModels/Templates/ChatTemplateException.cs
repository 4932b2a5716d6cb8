namespace OpenGradient.Engine.LanguageModels.Templates;

/// <summary>A template, or what it was asked to render, cannot be used.</summary>
public sealed class ChatTemplateException : Exception
{
    public ChatTemplateException(string message) : base(message) { }

    public ChatTemplateException() { }

    public ChatTemplateException(string message, Exception innerException) : base(message, innerException) { }
}
