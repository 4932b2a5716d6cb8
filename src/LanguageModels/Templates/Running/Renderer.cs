using System.Runtime.CompilerServices;
using System.Text;
using OpenGradient.Engine.LanguageModels.Templates.Syntax;
using OpenGradient.Engine.LanguageModels.Templates.Values;

namespace OpenGradient.Engine.LanguageModels.Templates.Running;

/// <summary>Runs statements and gathers the prompt. One per rendering.</summary>
internal sealed class Renderer(Budget budget)
{
    private readonly Evaluator _evaluator = new(budget);
    private StringBuilder _output = new();
    private int _loopDepth;

    /// <summary>How a row of statements ended.</summary>
    private enum Flow { Onward, Break, Continue }

    public string Render(IReadOnlyList<Statement> body, Scope scope)
    {
        Run(body, scope);
        return _output.ToString();
    }

    private Flow Run(IReadOnlyList<Statement> body, Scope scope)
    {
        foreach (var statement in body)
        {
            try
            {
                if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw new TemplateFault("the template nests too deep");
                budget.Step();
                var flow = Run(statement, scope);
                if (flow != Flow.Onward) return flow;
            }
            catch (TemplateFault fault)
            {
                throw fault.At(statement.Line);
            }
        }

        return Flow.Onward;
    }

    private Flow Run(Statement statement, Scope scope)
    {
        switch (statement)
        {
            case TextStatement text: Write(text.Text); return Flow.Onward;
            case PrintStatement print: Write(PythonText.Of(_evaluator.Evaluate(print.Value, scope))); return Flow.Onward;
            case IfStatement choice: return If(choice, scope);
            case ForStatement loop: return For(loop, scope);
            case SetStatement set: Assign(set.Target, _evaluator.Evaluate(set.Value, scope), scope); return Flow.Onward;
            case SetBlockStatement set: Assign(set.Target, Filtered(Captured(set.Body, scope), set.Filters, scope), scope); return Flow.Onward;
            case FilterBlockStatement filter: Write(PythonText.Of(Filtered(Captured(filter.Body, scope), filter.Filters, scope))); return Flow.Onward;
            case WithStatement with: return With(with, scope);
            case MacroStatement macro: scope[macro.Definition.Name] = Macro(macro.Definition, scope); return Flow.Onward;
            case CallBlockStatement call: CallBlock(call, scope); return Flow.Onward;
            case GroupStatement group: return Run(group.Body, scope);
            case LeaveStatement leave: return leave.Breaks ? Flow.Break : Flow.Continue;
            default: throw new TemplateFault("a statement that is not understood");
        }
    }

    private void Write(string text)
    {
        if (_output.Length + text.Length > Budget.MaxText) throw new TemplateFault($"the prompt has more than {Budget.MaxText} letters");
        budget.Letters(text.Length);
        _output.Append(text);
    }

    private Flow If(IfStatement choice, Scope scope)
    {
        foreach (var (condition, body) in choice.Branches)
            if (Truth.Of(_evaluator.Evaluate(condition, scope))) return Run(body, scope);
        return Run(choice.Otherwise, scope);
    }

    private Flow For(ForStatement loop, Scope scope)
    {
        var items = Sequences.Items(_evaluator.Evaluate(loop.Items, scope), budget);
        if (loop.Condition is { } condition) items = Chosen(items, loop.Target, condition, scope);
        if (items.Count == 0) return Run(loop.Otherwise, scope);
        var state = new LoopState(items, ++_loopDepth);
        for (var index = 0; index < items.Count; index++)
        {
            budget.Step();
            // What a body sets is gone in the next round, as in Jinja.
            var round = new Scope(scope) { ["loop"] = state };
            state.Index = index;
            Assign(loop.Target, items[index], round);
            if (Run(loop.Body, round) == Flow.Break) break;
        }

        _loopDepth--;
        return Flow.Onward;
    }

    private List<object?> Chosen(IReadOnlyList<object?> items, AssignmentTarget target, Expression condition, Scope scope)
    {
        var chosen = new List<object?>();
        foreach (var item in items)
        {
            var round = new Scope(scope);
            Assign(target, item, round);
            if (Truth.Of(_evaluator.Evaluate(condition, round))) chosen.Add(item);
        }

        return chosen;
    }

    private void Assign(AssignmentTarget target, object? value, Scope scope)
    {
        switch (target)
        {
            case NameTarget name:
                scope[name.Name] = value;
                break;
            case AttributeTarget attribute:
                if (!scope.TryFind(attribute.Name, out var found) || found is not TemplateNamespace space)
                    throw new TemplateFault($"'{attribute.Name}' is no namespace, and only a namespace's attributes can be set");
                space.Values[attribute.Attribute] = value;
                break;
            case TupleTarget tuple:
                var items = Sequences.Items(value, budget);
                if (items.Count != tuple.Parts.Count) throw new TemplateFault($"{items.Count} values for {tuple.Parts.Count} names");
                for (var index = 0; index < items.Count; index++) Assign(tuple.Parts[index], items[index], scope);
                break;
            default:
                throw new TemplateFault("a target that is not understood");
        }
    }

    private Flow With(WithStatement with, Scope scope)
    {
        var inner = new Scope(scope);
        foreach (var (target, value) in with.Values) Assign(target, _evaluator.Evaluate(value, scope), inner);
        return Run(with.Body, inner);
    }

    private string Captured(IReadOnlyList<Statement> body, Scope scope)
    {
        var outside = _output;
        _output = new StringBuilder();
        try
        {
            Run(body, new Scope(scope));
            return _output.ToString();
        }
        finally
        {
            _output = outside;
        }
    }

    private object? Filtered(object? value, IReadOnlyList<(string Name, ArgumentList Arguments)> filters, Scope scope)
    {
        foreach (var (name, arguments) in filters) value = _evaluator.Filter(value, name, arguments, scope);
        return value;
    }

    private void CallBlock(CallBlockStatement block, Scope scope)
    {
        var caller = Macro(block.Caller, scope);
        var target = _evaluator.Evaluate(block.Call.Target, scope);
        var call = target as TemplateFunction ?? throw new TemplateFault($"{Truth.Kind(target)} cannot be called");
        // Passed beside the arguments: the macro finds it under the name 'caller'.
        var named = block.Call.Arguments.Named.Select(each => (each.Name, _evaluator.Evaluate(each.Value, scope))).Append(("caller", caller)).ToArray();
        var positional = block.Call.Arguments.Positional.Select(each => _evaluator.Evaluate(each, scope)).ToArray();
        Write(PythonText.Of(call.Call(new CallArguments(call.Name, budget, positional, named))));
    }

    private TemplateFunction Macro(MacroDefinition macro, Scope scope) => new(macro.Name, arguments =>
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw new TemplateFault("the template nests too deep");
        budget.EnterCall();
        var inner = new Scope(scope);
        Bind(macro, arguments, inner);
        var (outside, depth) = (_output, _loopDepth);
        (_output, _loopDepth) = (new StringBuilder(), 0);
        try
        {
            Run(macro.Body, inner);
            return _output.ToString();
        }
        finally
        {
            (_output, _loopDepth) = (outside, depth);
            budget.LeaveCall();
        }
    });

    private void Bind(MacroDefinition macro, CallArguments arguments, Scope scope)
    {
        for (var index = 0; index < macro.Parameters.Count; index++)
        {
            var (name, otherwise) = macro.Parameters[index];
            if (arguments.Has(index, name)) scope[name] = arguments.Get(index, name);
            else scope[name] = otherwise is null ? new Undefined(name) : _evaluator.Evaluate(otherwise, scope);
        }

        foreach (var (name, value) in arguments.Named)
        {
            if (name == "caller") scope[name] = value;
            else if (macro.Parameters.All(each => each.Name != name)) throw new TemplateFault($"the macro '{macro.Name}' has no parameter '{name}'");
        }

        if (arguments.Positional.Count > macro.Parameters.Count)
            throw new TemplateFault($"the macro '{macro.Name}' has {macro.Parameters.Count} parameters and is given {arguments.Positional.Count}");
    }
}
