namespace OpenGradient.Engine.LanguageModels.Templates.Syntax;

/// <summary>What went wrong, before it is known in which line. Becomes a <see cref="ChatTemplateException"/> where a statement is left.</summary>
internal sealed class TemplateFault(string message) : Exception(message)
{
    public ChatTemplateException At(int line) => new($"line {line}: {Message}");
}
