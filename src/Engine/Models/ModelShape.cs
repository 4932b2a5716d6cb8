using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine;

/// <summary>What a model's declaration says about rows: whether requests have them, and whether several requests can share a call.</summary>
internal sealed class ModelShape
{
    public ModelShape(IReadOnlyList<TensorSpec> inputs, IReadOnlyList<TensorSpec> outputs)
    {
        Inputs = inputs;
        HasRows = inputs.All(spec => spec.HasOpenFirst && spec.Symbols[0] == inputs[0].Symbols[0] && !NamesRowsInside(spec));
        OutputsFollowRows = HasRows && outputs.All(spec => spec.HasOpenFirst && IsRowSymbol(spec.Symbols[0]) && !NamesRowsInside(spec));
        HasStaticRows = HasRows && inputs.All(spec => spec.StaticRowElements >= 0);

        Starts = new int[inputs.Count];
        for (var i = 1; i < inputs.Count; i++) Starts[i] = Starts[i - 1] + inputs[i - 1].Rank;
        SymbolIds = Number(inputs, out var symbols);
        SymbolCount = symbols;

        // A row of [batch, batch] has an element for each of its neighbours: it exists only within its own request.
        bool NamesRowsInside(TensorSpec spec) => inputs[0].Symbols[0] is { } rows && spec.Symbols.Skip(1).Contains(rows);

        // An unnamed open dimension of an output may or may not be the batch's; the first execution tells.
        bool IsRowSymbol(string? symbol) => symbol is null || symbol == inputs[0].Symbols[0];
    }

    public IReadOnlyList<TensorSpec> Inputs { get; }

    /// <summary>Every input's first dimension is open and is the same one, and no other dimension is.</summary>
    public bool HasRows { get; }

    /// <summary>Every output's first dimension is, or may be, that of the inputs.</summary>
    public bool OutputsFollowRows { get; }

    /// <summary>A row's size is the same in every request.</summary>
    public bool HasStaticRows { get; }

    /// <summary>Where each input's dimensions start in a request's list of all dimensions.</summary>
    public int[] Starts { get; }

    /// <summary>By position in that list: the number of the dimension's name, −1 for unnamed. Equal numbers must have equal sizes.</summary>
    public int[] SymbolIds { get; }

    public int SymbolCount { get; }

    private static int[] Number(IReadOnlyList<TensorSpec> inputs, out int count)
    {
        var numbers = new Dictionary<string, int>();
        var ids = inputs.SelectMany(spec => spec.Symbols)
            .Select(symbol => symbol is null ? -1 : numbers.TryGetValue(symbol, out var known) ? known : numbers[symbol] = numbers.Count)
            .ToArray();
        count = numbers.Count;
        return ids;
    }
}
