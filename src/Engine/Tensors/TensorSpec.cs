namespace OpenGradient.Engine.Tensors;

/// <summary>A model's declared input or output. Immutable.</summary>
public sealed class TensorSpec
{
    private const long TooMany = long.MaxValue;

    private readonly long[] _dimensions;

    /// <param name="dimensions">−1 where the model leaves a dimension open.</param>
    /// <param name="symbols">Names of open dimensions, null where unnamed; equal names must have equal sizes within one request.</param>
    /// <exception cref="OverflowException">The fixed dimensions make more bytes than a 64-bit number counts.</exception>
    public TensorSpec(string name, ElementType type, ReadOnlySpan<long> dimensions, IReadOnlyList<string?>? symbols = null)
    {
        Name = name;
        Type = type;
        _dimensions = dimensions.ToArray();
        Symbols = symbols ?? new string?[_dimensions.Length];
        StaticRowElements = Product(dimensions.Length > 0 ? dimensions[1..] : dimensions);
        var rows = dimensions.Length > 0 ? Math.Max(1, dimensions[0]) : 1;
        if (StaticRowElements == TooMany || (Int128)StaticRowElements * ElementTypes.SizeOf(type) * rows > long.MaxValue)
            throw new OverflowException($"the fixed dimensions [{string.Join(',', _dimensions)}] of '{name}' make too many bytes");
    }

    public string Name { get; }

    public ElementType Type { get; }

    public IReadOnlyList<string?> Symbols { get; }

    /// <summary>Sizes by dimension, −1 where open.</summary>
    public ReadOnlySpan<long> Dimensions => _dimensions;

    public int Rank => _dimensions.Length;

    /// <summary>Whether the first dimension is open, so that rows of several requests can stand in it.</summary>
    public bool HasOpenFirst => Rank > 0 && _dimensions[0] < 0;

    /// <summary>Elements of one row (the product of all dimensions but the first), −1 when one of them is open.</summary>
    public long StaticRowElements { get; }

    /// <summary>Bytes of one row, −1 when an inner dimension is open.</summary>
    public long StaticRowBytes => StaticRowElements < 0 ? -1 : StaticRowElements * ElementTypes.SizeOf(Type);

    public override string ToString() => $"{Name}: {Type}[{string.Join(',', _dimensions)}]";

    private static long Product(ReadOnlySpan<long> dimensions)
    {
        long product = 1;
        foreach (var dimension in dimensions)
        {
            if (dimension < 0) return -1;
            if (dimension > 0 && product > long.MaxValue / dimension) product = TooMany;
            else product *= dimension;
        }

        return product;
    }
}
