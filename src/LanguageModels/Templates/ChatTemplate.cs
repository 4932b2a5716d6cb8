using OpenGradient.Engine.LanguageModels.Templates.Library;
using OpenGradient.Engine.LanguageModels.Templates.Running;
using OpenGradient.Engine.LanguageModels.Templates.Syntax;
using OpenGradient.Engine.LanguageModels.Templates.Values;

namespace OpenGradient.Engine.LanguageModels.Templates;

/// <summary>
/// A chat template: messages to prompt text, in the subset of Jinja that published templates use. Safe for concurrent calls.
/// docs/language-models/tokenizers.md says what is understood and what bounds a rendering.
/// </summary>
public sealed class ChatTemplate
{
    // The longest published template is under 40,000 letters.
    private const int MaxLength = 256 << 10;

    private readonly IReadOnlyList<Statement> _body;

    private ChatTemplate(IReadOnlyList<Statement> body) => _body = body;

    /// <exception cref="ChatTemplateException">Not a template; the message has the line.</exception>
    public static ChatTemplate Parse(string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        if (source.Length > MaxLength) throw new ChatTemplateException($"the template has {source.Length} letters, more than {MaxLength}");
        return new ChatTemplate(new TemplateParser(TemplateLexer.Read(source)).Parse());
    }

    /// <exception cref="ChatTemplateException">The template raised, or did more work than is allowed.</exception>
    public string Render(ChatTemplateInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var budget = new Budget();
        return new Renderer(budget).Render(_body, TemplateGlobals.Of(input, budget));
    }
}
