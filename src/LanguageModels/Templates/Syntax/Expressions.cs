namespace OpenGradient.Engine.LanguageModels.Templates.Syntax;

/// <summary>An expression. Its depth is bounded when it is made, because evaluation descends as deep.</summary>
internal abstract record Expression
{
    private const int MaxDepth = 300;

    protected Expression(params ReadOnlySpan<Expression?> parts)
    {
        foreach (var part in parts)
            if (part is not null) Deepen(part);
    }

    public int Depth { get; private set; } = 1;

    protected void Deepen(Expression part)
    {
        Depth = Math.Max(Depth, part.Depth + 1);
        if (Depth > MaxDepth) throw new TemplateFault($"an expression more than {MaxDepth} deep");
    }

    protected void Deepen(IEnumerable<Expression> parts)
    {
        foreach (var part in parts) Deepen(part);
    }
}

internal sealed record ConstantExpression(object? Value) : Expression;

internal sealed record NameExpression(string Name) : Expression;

internal sealed record ListExpression : Expression
{
    public ListExpression(IReadOnlyList<Expression> items, bool tuple)
    {
        (Items, IsTuple) = (items, tuple);
        Deepen(items);
    }

    public IReadOnlyList<Expression> Items { get; }

    public bool IsTuple { get; }
}

internal sealed record MapExpression : Expression
{
    public MapExpression(IReadOnlyList<(Expression Key, Expression Value)> items)
    {
        Items = items;
        Deepen(items.Select(item => item.Key));
        Deepen(items.Select(item => item.Value));
    }

    public IReadOnlyList<(Expression Key, Expression Value)> Items { get; }
}

internal sealed record UnaryExpression(string Operator, Expression Operand) : Expression(Operand);

/// <summary>Arithmetic, text and Boolean operators; the latter two look at their right side only where they must.</summary>
internal sealed record BinaryExpression(string Operator, Expression Left, Expression Right) : Expression(Left, Right);

/// <summary>Comparisons in a row, each with what was on the right of the one before.</summary>
internal sealed record ComparisonExpression : Expression
{
    public ComparisonExpression(Expression first, IReadOnlyList<(string Operator, Expression Right)> rest) : base(first)
    {
        (First, Rest) = (first, rest);
        Deepen(rest.Select(each => each.Right));
    }

    public Expression First { get; }

    public IReadOnlyList<(string Operator, Expression Right)> Rest { get; }
}

internal sealed record ConditionalExpression(Expression Value, Expression Condition, Expression? Otherwise) : Expression(Value, Condition, Otherwise);

/// <param name="Dotted">Written with a dot: methods come before the entries of a mapping.</param>
internal sealed record MemberExpression(Expression Target, Expression Key, bool Dotted) : Expression(Target, Key);

internal sealed record SliceExpression(Expression Target, Expression? Start, Expression? Stop, Expression? Step) : Expression(Target, Start, Stop, Step);

internal sealed record ArgumentList
{
    public static ArgumentList None { get; } = new() { Positional = [], Named = [] };

    public required IReadOnlyList<Expression> Positional { get; init; }

    public required IReadOnlyList<(string Name, Expression Value)> Named { get; init; }

    public IEnumerable<Expression> All => Positional.Concat(Named.Select(each => each.Value));
}

internal sealed record CallExpression : Expression
{
    public CallExpression(Expression target, ArgumentList arguments) : base(target)
    {
        (Target, Arguments) = (target, arguments);
        Deepen(arguments.All);
    }

    public Expression Target { get; }

    public ArgumentList Arguments { get; }
}

internal sealed record FilterExpression : Expression
{
    public FilterExpression(Expression target, string name, ArgumentList arguments) : base(target)
    {
        (Target, Name, Arguments) = (target, name, arguments);
        Deepen(arguments.All);
    }

    public Expression Target { get; }

    public string Name { get; }

    public ArgumentList Arguments { get; }
}

internal sealed record TestExpression : Expression
{
    public TestExpression(Expression target, string name, ArgumentList arguments, bool negated) : base(target)
    {
        (Target, Name, Arguments, Negated) = (target, name, arguments, negated);
        Deepen(arguments.All);
    }

    public Expression Target { get; }

    public string Name { get; }

    public ArgumentList Arguments { get; }

    public bool Negated { get; }
}
