using OpenGradient.Engine.LanguageModels.Templates.Library;
using OpenGradient.Engine.LanguageModels.Templates.Syntax;
using OpenGradient.Engine.LanguageModels.Templates.Values;

namespace OpenGradient.Engine.LanguageModels.Templates.Running;

/// <summary>Works out expressions. One per rendering.</summary>
internal sealed class Evaluator(Budget budget)
{
    public object? Evaluate(Expression expression, Scope scope)
    {
        budget.Step();
        switch (expression)
        {
            case ConstantExpression constant: return constant.Value;
            case NameExpression name: return scope.TryFind(name.Name, out var value) ? value : new Undefined(name.Name);
            case ListExpression list: return List(list, scope);
            case MapExpression map: return Map(map, scope);
            case UnaryExpression unary: return Unary(unary, scope);
            case BinaryExpression binary: return Binary(binary, scope);
            case ComparisonExpression comparison: return Compare(comparison, scope);
            case ConditionalExpression condition: return Choose(condition, scope);
            case MemberExpression member: return Member(member, scope);
            case SliceExpression slice: return Slice(slice, scope);
            case CallExpression call: return Call(Evaluate(call.Target, scope), call.Arguments, scope);
            case FilterExpression filter: return Filter(Evaluate(filter.Target, scope), filter.Name, filter.Arguments, scope);
            case TestExpression test: return Test(test, scope);
            default: throw new TemplateFault("an expression that is not understood");
        }
    }

    public object? Filter(object? value, string name, ArgumentList arguments, Scope scope)
    {
        // As a function of the value, so that what a filter does with filters (map) goes the same way.
        budget.Touch(value);
        return Filters.All[name](value, Arguments(name, arguments, scope));
    }

    public object? Call(object? target, ArgumentList arguments, Scope scope) => target is TemplateFunction function
        ? function.Call(Arguments(function.Name, arguments, scope))
        : throw new TemplateFault($"{Truth.Kind(target)} cannot be called");

    private CallArguments Arguments(string callee, ArgumentList arguments, Scope scope)
    {
        if (arguments.Positional.Count == 0 && arguments.Named.Count == 0) return new CallArguments(callee, budget, [], []);
        var positional = new object?[arguments.Positional.Count];
        for (var index = 0; index < positional.Length; index++) positional[index] = Evaluate(arguments.Positional[index], scope);
        var named = new (string, object?)[arguments.Named.Count];
        for (var index = 0; index < named.Length; index++) named[index] = (arguments.Named[index].Name, Evaluate(arguments.Named[index].Value, scope));
        return new CallArguments(callee, budget, positional, named);
    }

    private object List(ListExpression list, Scope scope)
    {
        var items = new object?[list.Items.Count];
        for (var index = 0; index < items.Length; index++) items[index] = Evaluate(list.Items[index], scope);
        return list.IsTuple ? items : new List<object?>(items);
    }

    private TemplateMap Map(MapExpression expression, Scope scope)
    {
        var map = new TemplateMap();
        foreach (var (key, value) in expression.Items)
        {
            var name = Evaluate(key, scope);
            if (name is not (string or long or bool or double)) throw new TemplateFault($"{Truth.Kind(name)} cannot be a key");
            map[name] = Evaluate(value, scope);
        }

        return map;
    }

    private object? Unary(UnaryExpression unary, Scope scope)
    {
        var value = Evaluate(unary.Operand, scope);
        return unary.Operator switch
        {
            "not" => !Truth.Of(value),
            "-" => Operators.Negate(value),
            _ => value is long or double or bool ? value : throw new TemplateFault($"{Truth.Kind(value)} is no number"),
        };
    }

    private object? Binary(BinaryExpression binary, Scope scope)
    {
        var left = Evaluate(binary.Left, scope);
        return binary.Operator switch
        {
            "and" => Truth.Of(left) ? Evaluate(binary.Right, scope) : left,
            "or" => Truth.Of(left) ? left : Evaluate(binary.Right, scope),
            _ => Operators.Apply(binary.Operator, left, Evaluate(binary.Right, scope), budget),
        };
    }

    private object Compare(ComparisonExpression comparison, Scope scope)
    {
        var left = Evaluate(comparison.First, scope);
        foreach (var (name, expression) in comparison.Rest)
        {
            var right = Evaluate(expression, scope);
            if (!Operators.Compare(name, left, right, budget)) return false;
            left = right;
        }

        return true;
    }

    private object? Choose(ConditionalExpression expression, Scope scope)
    {
        if (Truth.Of(Evaluate(expression.Condition, scope))) return Evaluate(expression.Value, scope);
        return expression.Otherwise is { } otherwise ? Evaluate(otherwise, scope) : new Undefined("the inline if's missing else");
    }

    private object? Member(MemberExpression member, Scope scope)
    {
        var target = Evaluate(member.Target, scope);
        var key = Evaluate(member.Key, scope);
        return Members.Find(target, key, member.Dotted, budget);
    }

    private object? Slice(SliceExpression slice, Scope scope)
    {
        var target = Evaluate(slice.Target, scope);
        return Sequences.Slice(target, Place(slice.Start, scope), Place(slice.Stop, scope), Place(slice.Step, scope), budget);
    }

    private long? Place(Expression? expression, Scope scope) => expression is null ? null : Evaluate(expression, scope) switch
    {
        null => null,
        long place => place,
        var other => throw new TemplateFault($"{Truth.Kind(other)} is no place in a slice"),
    };

    private object Test(TestExpression test, Scope scope)
    {
        var value = Evaluate(test.Target, scope);
        budget.Step();
        return Tests.All[test.Name](value, Arguments(test.Name, test.Arguments, scope)) != test.Negated;
    }
}
