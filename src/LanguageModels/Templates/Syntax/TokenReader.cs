namespace OpenGradient.Engine.LanguageModels.Templates.Syntax;

/// <summary>Tokens one after the other.</summary>
internal sealed class TokenReader(List<TemplateToken> tokens)
{
    private int _at;

    public TemplateToken Current => tokens[_at];

    public int Line => Current.Line;

    public TemplateToken Peek(int ahead) => tokens[Math.Min(_at + ahead, tokens.Count - 1)];

    public TemplateToken Next() => Current.Kind == TokenKind.End ? throw new TemplateFault("the template ends too early") : tokens[_at++];

    public bool TakeOperator(string text) => Take(TokenKind.Operator, text);

    public bool TakeName(string text) => Take(TokenKind.Name, text);

    public bool Take(TokenKind kind, string text)
    {
        if (!Current.Is(kind, text)) return false;
        _at++;
        return true;
    }

    public void ExpectOperator(string text)
    {
        if (!TakeOperator(text)) throw new TemplateFault($"'{text}' was expected, and there is {Shown(Current)}");
    }

    public string ExpectName() => Current.Kind == TokenKind.Name ? Next().Text : throw new TemplateFault($"a name was expected, and there is {Shown(Current)}");

    public void Expect(TokenKind kind)
    {
        if (Current.Kind != kind) throw new TemplateFault($"{Shown(Current)} is not expected here");
        _at++;
    }

    public static string Shown(TemplateToken token) => token.Kind switch
    {
        TokenKind.End => "the template's end",
        TokenKind.CloseBlock => "'%}'",
        TokenKind.ClosePrint => "'}}'",
        TokenKind.OpenBlock => "'{%'",
        TokenKind.OpenPrint => "'{{'",
        TokenKind.Text => "text",
        _ => $"'{(token.Text.Length <= 40 ? token.Text : token.Text[..40])}'",
    };
}
