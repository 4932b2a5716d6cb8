namespace OpenGradient.Engine.LanguageModels.Templates.Syntax;

internal abstract record Statement(int Line);

internal sealed record TextStatement(int Line, string Text) : Statement(Line);

internal sealed record PrintStatement(int Line, Expression Value) : Statement(Line);

internal sealed record IfStatement(int Line, IReadOnlyList<(Expression Condition, IReadOnlyList<Statement> Body)> Branches, IReadOnlyList<Statement> Otherwise) : Statement(Line);

internal sealed record ForStatement(
    int Line, AssignmentTarget Target, Expression Items, Expression? Condition, IReadOnlyList<Statement> Body, IReadOnlyList<Statement> Otherwise) : Statement(Line);

internal sealed record SetStatement(int Line, AssignmentTarget Target, Expression Value) : Statement(Line);

/// <summary>The rendered body becomes the value, after the filters.</summary>
internal sealed record SetBlockStatement(int Line, AssignmentTarget Target, IReadOnlyList<Statement> Body, IReadOnlyList<(string Name, ArgumentList Arguments)> Filters) : Statement(Line);

internal sealed record WithStatement(int Line, IReadOnlyList<(AssignmentTarget Target, Expression Value)> Values, IReadOnlyList<Statement> Body) : Statement(Line);

internal sealed record FilterBlockStatement(int Line, IReadOnlyList<Statement> Body, IReadOnlyList<(string Name, ArgumentList Arguments)> Filters) : Statement(Line);

internal sealed record MacroStatement(int Line, MacroDefinition Definition) : Statement(Line);

/// <summary>Calls a macro whose <c>caller()</c> renders the body.</summary>
internal sealed record CallBlockStatement(int Line, MacroDefinition Caller, CallExpression Call) : Statement(Line);

/// <summary>A part that trainers mask; it renders as it stands.</summary>
internal sealed record GroupStatement(int Line, IReadOnlyList<Statement> Body) : Statement(Line);

internal sealed record LeaveStatement(int Line, bool Breaks) : Statement(Line);

internal sealed record MacroDefinition(string Name, IReadOnlyList<(string Name, Expression? Default)> Parameters, IReadOnlyList<Statement> Body);

/// <summary>Where a value goes: a name, names in a row, or an attribute of a namespace.</summary>
internal abstract record AssignmentTarget;

internal sealed record NameTarget(string Name) : AssignmentTarget;

internal sealed record AttributeTarget(string Name, string Attribute) : AssignmentTarget;

internal sealed record TupleTarget(IReadOnlyList<AssignmentTarget> Parts) : AssignmentTarget;
