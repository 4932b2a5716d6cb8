using System.Globalization;
using OpenGradient.Engine.LanguageModels.Templates.Library;
using OpenGradient.Engine.LanguageModels.Templates.Values;

namespace OpenGradient.Engine.LanguageModels.Templates.Syntax;

/// <summary>Parses expressions with Jinja's precedence. Filters and tests are looked up here, so that an unknown one is refused at once.</summary>
internal sealed class ExpressionParser(TokenReader tokens)
{
    private const int MaxNesting = 100;

    private int _nesting;

    /// <summary>One expression, or several with commas between, which are a tuple.</summary>
    public Expression ParseTuple()
    {
        var first = Parse();
        if (!tokens.Current.Is(TokenKind.Operator, ",")) return first;
        var items = new List<Expression> { first };
        while (tokens.TakeOperator(",") && BeginsExpression()) items.Add(Parse());
        return new ListExpression(items, tuple: true);
    }

    public Expression Parse()
    {
        Enter();
        var value = Or();
        while (tokens.TakeName("if"))
        {
            var condition = Or();
            value = new ConditionalExpression(value, condition, tokens.TakeName("else") ? Parse() : null);
        }

        _nesting--;
        return value;
    }

    /// <summary>An expression that does not take an <c>if</c> after it, as the items of a loop.</summary>
    public Expression ParseWithoutCondition()
    {
        var first = Or();
        if (!tokens.Current.Is(TokenKind.Operator, ",")) return first;
        var items = new List<Expression> { first };
        while (tokens.TakeOperator(",") && BeginsExpression()) items.Add(Or());
        return new ListExpression(items, tuple: true);
    }

    /// <summary>The filters of a block, after its first bar.</summary>
    public List<(string Name, ArgumentList Arguments)> ParseFilters()
    {
        var filters = new List<(string, ArgumentList)>();
        do
        {
            filters.Add(Filter());
        }
        while (tokens.TakeOperator("|"));
        return filters;
    }

    public ArgumentList ParseArguments()
    {
        tokens.ExpectOperator("(");
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        while (!tokens.TakeOperator(")"))
        {
            if (tokens.Current.Is(TokenKind.Operator, "*") || tokens.Current.Is(TokenKind.Operator, "**")) throw new TemplateFault("arguments unpacked by stars are not understood");
            if (tokens.Current.Kind == TokenKind.Name && tokens.Peek(1).Is(TokenKind.Operator, "="))
            {
                var name = tokens.Next().Text;
                tokens.Next();
                named.Add((name, Parse()));
            }
            else
            {
                if (named.Count > 0) throw new TemplateFault("an argument without a name after one with a name");
                positional.Add(Parse());
            }

            if (!tokens.Current.Is(TokenKind.Operator, ")")) tokens.ExpectOperator(",");
        }

        return new ArgumentList { Positional = positional, Named = named };
    }

    private void Enter()
    {
        if (++_nesting > MaxNesting) throw new TemplateFault($"an expression nested more than {MaxNesting} deep");
    }

    private bool BeginsExpression() => tokens.Current.Kind switch
    {
        TokenKind.CloseBlock or TokenKind.ClosePrint => false,
        TokenKind.Operator => tokens.Current.Text is "(" or "[" or "{" or "-" or "+",
        _ => true,
    };

    private Expression Or()
    {
        var left = And();
        while (tokens.TakeName("or")) left = new BinaryExpression("or", left, And());
        return left;
    }

    private Expression And()
    {
        var left = Not();
        while (tokens.TakeName("and")) left = new BinaryExpression("and", left, Not());
        return left;
    }

    private Expression Not()
    {
        if (!tokens.TakeName("not")) return Comparison();
        Enter();
        var operand = Not();
        _nesting--;
        return new UnaryExpression("not", operand);
    }

    private Expression Comparison()
    {
        var first = Sum();
        var rest = new List<(string, Expression)>();
        while (true)
        {
            if (tokens.Current is { Kind: TokenKind.Operator, Text: "==" or "!=" or "<" or ">" or "<=" or ">=" }) rest.Add((tokens.Next().Text, Sum()));
            else if (tokens.TakeName("in")) rest.Add(("in", Sum()));
            else if (tokens.Current.Is(TokenKind.Name, "not") && tokens.Peek(1).Is(TokenKind.Name, "in"))
            {
                tokens.Next();
                tokens.Next();
                rest.Add(("not in", Sum()));
            }
            else return rest.Count == 0 ? first : new ComparisonExpression(first, rest);
        }
    }

    private Expression Sum()
    {
        var left = Concatenation();
        while (tokens.Current is { Kind: TokenKind.Operator, Text: "+" or "-" }) left = new BinaryExpression(tokens.Next().Text, left, Concatenation());
        return left;
    }

    private Expression Concatenation()
    {
        var left = Product();
        while (tokens.TakeOperator("~")) left = new BinaryExpression("~", left, Product());
        return left;
    }

    private Expression Product()
    {
        var left = Power();
        while (tokens.Current is { Kind: TokenKind.Operator, Text: "*" or "/" or "//" or "%" }) left = new BinaryExpression(tokens.Next().Text, left, Power());
        return left;
    }

    private Expression Power()
    {
        var left = Unary(withFilters: true);
        while (tokens.TakeOperator("**")) left = new BinaryExpression("**", left, Unary(withFilters: true));
        return left;
    }

    private Expression Unary(bool withFilters)
    {
        Expression value;
        if (tokens.Current is { Kind: TokenKind.Operator, Text: "-" or "+" })
        {
            var sign = tokens.Next().Text;
            Enter();
            value = new UnaryExpression(sign, Unary(withFilters: false));
            _nesting--;
        }
        else
        {
            value = Postfix(Primary());
        }

        return withFilters ? Filtered(value) : value;
    }

    private Expression Postfix(Expression value)
    {
        while (true)
        {
            if (tokens.TakeOperator(".")) value = Dotted(value);
            else if (tokens.TakeOperator("[")) value = Subscript(value);
            else if (tokens.Current.Is(TokenKind.Operator, "(")) value = new CallExpression(value, ParseArguments());
            else return value;
        }
    }

    private MemberExpression Dotted(Expression value)
    {
        if (tokens.Current.Kind == TokenKind.Integer) return new MemberExpression(value, new ConstantExpression(Integer(tokens.Next().Text)), Dotted: true);
        return new MemberExpression(value, new ConstantExpression(tokens.ExpectName()), Dotted: true);
    }

    private Expression Subscript(Expression value)
    {
        var parts = new Expression?[3];
        var index = 0;
        while (!tokens.Current.Is(TokenKind.Operator, "]"))
        {
            if (tokens.TakeOperator(":"))
            {
                if (++index > 2) throw new TemplateFault("a slice of more than three parts");
            }
            else if (parts[index] is null)
            {
                parts[index] = ParseTuple();
            }
            else
            {
                throw new TemplateFault($"{TokenReader.Shown(tokens.Current)} is not expected in brackets");
            }
        }

        tokens.Next();
        if (index > 0) return new SliceExpression(value, parts[0], parts[1], parts[2]);
        return new MemberExpression(value, parts[0] ?? throw new TemplateFault("brackets with nothing in them"), Dotted: false);
    }

    private Expression Filtered(Expression value)
    {
        while (true)
        {
            if (tokens.TakeOperator("|"))
            {
                var (name, arguments) = Filter();
                value = new FilterExpression(value, name, arguments);
            }
            else if (tokens.TakeName("is"))
            {
                value = Test(value);
            }
            else if (tokens.Current.Is(TokenKind.Operator, "("))
            {
                value = new CallExpression(value, ParseArguments());
            }
            else
            {
                return value;
            }
        }
    }

    private (string Name, ArgumentList Arguments) Filter()
    {
        var name = tokens.ExpectName();
        if (!Filters.All.ContainsKey(name)) throw new TemplateFault($"the filter '{name}' is not understood");
        return (name, tokens.Current.Is(TokenKind.Operator, "(") ? ParseArguments() : ArgumentList.None);
    }

    private TestExpression Test(Expression value)
    {
        var negated = tokens.TakeName("not");
        var name = tokens.ExpectName();
        if (!Tests.All.ContainsKey(name)) throw new TemplateFault($"the test '{name}' is not understood");
        var arguments = ArgumentList.None;
        if (tokens.Current.Is(TokenKind.Operator, "(")) arguments = ParseArguments();
        else if (BeginsTestArgument()) arguments = new ArgumentList { Positional = [Postfix(Primary())], Named = [] };
        return new TestExpression(value, name, arguments, negated);
    }

    private bool BeginsTestArgument() => tokens.Current.Kind switch
    {
        TokenKind.String or TokenKind.Integer or TokenKind.Float => true,
        TokenKind.Name => tokens.Current.Text is not ("else" or "or" or "and" or "if" or "is" or "not" or "in"),
        TokenKind.Operator => tokens.Current.Text is "[" or "{",
        _ => false,
    };

    private Expression Primary()
    {
        var token = tokens.Next();
        switch (token.Kind)
        {
            case TokenKind.Name:
                return token.Text switch
                {
                    "true" or "True" => new ConstantExpression(true),
                    "false" or "False" => new ConstantExpression(false),
                    "none" or "None" => new ConstantExpression(null),
                    _ => new NameExpression(token.Text),
                };
            case TokenKind.String:
                var text = token.Text;
                while (tokens.Current.Kind == TokenKind.String) text += tokens.Next().Text;
                return new ConstantExpression(text);
            case TokenKind.Integer:
                return new ConstantExpression(Integer(token.Text));
            case TokenKind.Float:
                return new ConstantExpression(double.Parse(token.Text, CultureInfo.InvariantCulture));
            case TokenKind.Operator when token.Text == "(":
                return Parenthesized();
            case TokenKind.Operator when token.Text == "[":
                return new ListExpression(Items("]"), tuple: false);
            case TokenKind.Operator when token.Text == "{":
                return Map();
            default:
                throw new TemplateFault($"{TokenReader.Shown(token)} is not expected in an expression");
        }
    }

    private static object Integer(string digits) =>
        long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : new LargeNumber(digits);

    private Expression Parenthesized()
    {
        if (tokens.TakeOperator(")")) return new ListExpression([], tuple: true);
        var value = ParseTuple();
        tokens.ExpectOperator(")");
        return value;
    }

    private List<Expression> Items(string close)
    {
        var items = new List<Expression>();
        while (!tokens.TakeOperator(close))
        {
            items.Add(Parse());
            if (!tokens.Current.Is(TokenKind.Operator, close)) tokens.ExpectOperator(",");
        }

        return items;
    }

    private MapExpression Map()
    {
        var items = new List<(Expression, Expression)>();
        while (!tokens.TakeOperator("}"))
        {
            var key = Parse();
            tokens.ExpectOperator(":");
            items.Add((key, Parse()));
            if (!tokens.Current.Is(TokenKind.Operator, "}")) tokens.ExpectOperator(",");
        }

        return new MapExpression(items);
    }
}
