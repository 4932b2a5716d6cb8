namespace OpenGradient.Engine.LanguageModels.Templates.Syntax;

/// <summary>Parses statements. Tags of Jinja that chat templates have no use for (inheritance, imports) are refused by name.</summary>
internal sealed class TemplateParser
{
    private const int MaxNesting = 100;

    private readonly TokenReader _tokens;
    private readonly ExpressionParser _expressions;
    private int _nesting;
    private int _loops;

    public TemplateParser(List<TemplateToken> tokens)
    {
        _tokens = new TokenReader(tokens);
        _expressions = new ExpressionParser(_tokens);
    }

    public IReadOnlyList<Statement> Parse()
    {
        try
        {
            var body = Body();
            if (_tokens.Current.Kind != TokenKind.End) throw new TemplateFault($"'{_tokens.Peek(1).Text}' ends nothing");
            return body;
        }
        catch (TemplateFault fault)
        {
            throw fault.At(_tokens.Line);
        }
    }

    // Up to the template's end or a tag with one of these names, which stays.
    private List<Statement> Body(params string[] ends)
    {
        if (++_nesting > MaxNesting) throw new TemplateFault($"statements nested more than {MaxNesting} deep");
        var body = new List<Statement>();
        while (_tokens.Current.Kind != TokenKind.End)
        {
            var token = _tokens.Current;
            if (token.Kind == TokenKind.OpenBlock && _tokens.Peek(1) is { Kind: TokenKind.Name } name && (ends.Contains(name.Text) || Ends(name.Text))) break;
            _tokens.Next();
            body.Add(token.Kind switch
            {
                TokenKind.Text => new TextStatement(token.Line, token.Text),
                TokenKind.OpenPrint => Print(token.Line),
                _ => Block(token.Line),
            });
        }

        _nesting--;
        return body;
    }

    private static bool Ends(string name) => name.StartsWith("end", StringComparison.Ordinal) || name is "else" or "elif";

    private PrintStatement Print(int line)
    {
        var value = _expressions.ParseTuple();
        _tokens.Expect(TokenKind.ClosePrint);
        return new PrintStatement(line, value);
    }

    private Statement Block(int line)
    {
        var name = _tokens.ExpectName();
        return name switch
        {
            "if" => If(line),
            "for" => For(line),
            "set" => Set(line),
            "macro" => Macro(line),
            "call" => Call(line),
            "filter" => FilterBlock(line),
            "with" => With(line),
            "generation" => Generation(line),
            "break" or "continue" => Leave(line, name == "break"),
            _ => throw new TemplateFault($"the tag '{name}' is not understood"),
        };
    }

    private void EndTag(string name)
    {
        if (_tokens.Current.Kind != TokenKind.OpenBlock || !_tokens.Peek(1).Is(TokenKind.Name, name))
            throw new TemplateFault($"'{name}' was expected, and there is {TokenReader.Shown(_tokens.Current.Kind == TokenKind.OpenBlock ? _tokens.Peek(1) : _tokens.Current)}");
        _tokens.Next();
        _tokens.Next();
        _tokens.Expect(TokenKind.CloseBlock);
    }

    private bool TakeTag(string name)
    {
        if (_tokens.Current.Kind != TokenKind.OpenBlock || !_tokens.Peek(1).Is(TokenKind.Name, name)) return false;
        _tokens.Next();
        _tokens.Next();
        return true;
    }

    private IfStatement If(int line)
    {
        var branches = new List<(Expression, IReadOnlyList<Statement>)>();
        var otherwise = new List<Statement>();
        do
        {
            var condition = _expressions.ParseTuple();
            _tokens.Expect(TokenKind.CloseBlock);
            branches.Add((condition, Body("elif", "else", "endif")));
        }
        while (TakeTag("elif"));
        if (TakeTag("else"))
        {
            _tokens.Expect(TokenKind.CloseBlock);
            otherwise = Body("endif");
        }

        EndTag("endif");
        return new IfStatement(line, branches, otherwise);
    }

    private ForStatement For(int line)
    {
        var target = Target();
        if (!_tokens.TakeName("in")) throw new TemplateFault($"'in' was expected, and there is {TokenReader.Shown(_tokens.Current)}");
        var items = _expressions.ParseWithoutCondition();
        var condition = _tokens.TakeName("if") ? _expressions.Parse() : null;
        if (_tokens.Current.Is(TokenKind.Name, "recursive")) throw new TemplateFault("recursive loops are not understood");
        _tokens.Expect(TokenKind.CloseBlock);
        _loops++;
        var body = Body("else", "endfor");
        _loops--;
        var otherwise = new List<Statement>();
        if (TakeTag("else"))
        {
            _tokens.Expect(TokenKind.CloseBlock);
            otherwise = Body("endfor");
        }

        EndTag("endfor");
        return new ForStatement(line, target, items, condition, body, otherwise);
    }

    private Statement Set(int line)
    {
        var target = Target();
        if (_tokens.TakeOperator("="))
        {
            var value = _expressions.ParseTuple();
            _tokens.Expect(TokenKind.CloseBlock);
            return new SetStatement(line, target, value);
        }

        var filters = _tokens.TakeOperator("|") ? _expressions.ParseFilters() : [];
        _tokens.Expect(TokenKind.CloseBlock);
        var body = Body("endset");
        EndTag("endset");
        return new SetBlockStatement(line, target, body, filters);
    }

    private AssignmentTarget Target()
    {
        var parts = new List<AssignmentTarget>();
        do
        {
            if (parts.Count > 0 && _tokens.Current.Kind != TokenKind.Name && !_tokens.Current.Is(TokenKind.Operator, "(")) break;
            parts.Add(SingleTarget());
        }
        while (_tokens.TakeOperator(","));
        return parts.Count == 1 ? parts[0] : new TupleTarget(parts);
    }

    private AssignmentTarget SingleTarget()
    {
        if (_tokens.TakeOperator("("))
        {
            if (++_nesting > MaxNesting) throw new TemplateFault($"names nested more than {MaxNesting} deep");
            var inner = Target();
            _tokens.ExpectOperator(")");
            _nesting--;
            return inner;
        }

        var name = _tokens.ExpectName();
        return _tokens.TakeOperator(".") ? new AttributeTarget(name, _tokens.ExpectName()) : new NameTarget(name);
    }

    private MacroStatement Macro(int line)
    {
        var name = _tokens.ExpectName();
        return new MacroStatement(line, Definition(name, Parameters(), "endmacro"));
    }

    private CallBlockStatement Call(int line)
    {
        var parameters = _tokens.Current.Is(TokenKind.Operator, "(") ? Parameters() : [];
        var call = _expressions.Parse() as CallExpression ?? throw new TemplateFault("the tag 'call' needs a call");
        return new CallBlockStatement(line, Definition("caller", parameters, "endcall"), call);
    }

    private MacroDefinition Definition(string name, List<(string, Expression?)> parameters, string end)
    {
        _tokens.Expect(TokenKind.CloseBlock);
        // A loop outside cannot be left from within.
        var loops = _loops;
        _loops = 0;
        var body = Body(end);
        _loops = loops;
        EndTag(end);
        return new MacroDefinition(name, parameters, body);
    }

    private List<(string, Expression?)> Parameters()
    {
        var parameters = new List<(string Name, Expression?)>();
        _tokens.ExpectOperator("(");
        while (!_tokens.TakeOperator(")"))
        {
            var name = _tokens.ExpectName();
            if (parameters.Exists(each => each.Name == name)) throw new TemplateFault($"the parameter '{name}' is named twice");
            parameters.Add((name, _tokens.TakeOperator("=") ? _expressions.Parse() : null));
            if (!_tokens.Current.Is(TokenKind.Operator, ")")) _tokens.ExpectOperator(",");
        }

        return parameters;
    }

    private FilterBlockStatement FilterBlock(int line)
    {
        var filters = _expressions.ParseFilters();
        _tokens.Expect(TokenKind.CloseBlock);
        var body = Body("endfilter");
        EndTag("endfilter");
        return new FilterBlockStatement(line, body, filters);
    }

    private WithStatement With(int line)
    {
        var values = new List<(AssignmentTarget, Expression)>();
        while (_tokens.Current.Kind != TokenKind.CloseBlock)
        {
            var target = SingleTarget();
            _tokens.ExpectOperator("=");
            values.Add((target, _expressions.Parse()));
            if (_tokens.Current.Kind != TokenKind.CloseBlock) _tokens.ExpectOperator(",");
        }

        _tokens.Next();
        var body = Body("endwith");
        EndTag("endwith");
        return new WithStatement(line, values, body);
    }

    private GroupStatement Generation(int line)
    {
        _tokens.Expect(TokenKind.CloseBlock);
        var body = Body("endgeneration");
        EndTag("endgeneration");
        return new GroupStatement(line, body);
    }

    private LeaveStatement Leave(int line, bool breaks)
    {
        if (_loops == 0) throw new TemplateFault($"'{(breaks ? "break" : "continue")}' stands in no loop");
        _tokens.Expect(TokenKind.CloseBlock);
        return new LeaveStatement(line, breaks);
    }
}
