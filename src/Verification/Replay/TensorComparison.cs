using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Verification.Replay;

/// <summary>The first element whose bits differ.</summary>
/// <param name="Index">Its position, one number per dimension.</param>
/// <param name="GivenBits">In the saved answer, most significant first, for example <c>0x3f800000</c>.</param>
/// <param name="HereBits">As executed here.</param>
/// <param name="Given">The saved value as text that reads back to the same bits, NaN payloads aside.</param>
/// <param name="Here">The executed value, likewise.</param>
public sealed record ElementDifference(string Tensor, IReadOnlyList<long> Index, string GivenBits, string HereBits, string Given, string Here)
{
    public override string ToString() => $"{Tensor}[{string.Join(',', Index)}] is {Given} ({GivenBits}) in the answer, {Here} ({HereBits}) here";
}

/// <summary>How a saved output differs from the executed one.</summary>
/// <param name="Elements">How many elements the executed output has.</param>
/// <param name="Different">How many have other bits; all of them when name, type or shape differ already.</param>
/// <param name="MaxAbsolute">Largest absolute difference; infinite where one side is not finite and the other is, or is otherwise so.</param>
/// <param name="MaxRelative">Largest difference relative to the larger magnitude of the two.</param>
/// <param name="Within">Whether every element is within the tolerance.</param>
/// <param name="Mismatch">Null, or how name, type or shape differ.</param>
public sealed record TensorDeviation(string Tensor, long Elements, long Different, double MaxAbsolute, double MaxRelative, bool Within, string? Mismatch);

/// <summary>A saved answer beside the executed one, output by output.</summary>
internal sealed class TensorComparison
{
    private readonly List<TensorDeviation> _deviations = [];

    public TensorComparison(IReadOnlyList<NamedTensor> given, IReadOnlyList<NamedTensor> here, double? tolerance)
    {
        foreach (var tensor in given)
        {
            var executed = here.FirstOrDefault(output => output.Name == tensor.Name);
            if (Mismatch(tensor, executed) is { } mismatch) Refuse(tensor, executed, mismatch);
            else Compare(tensor, executed!, tolerance ?? ReplayTolerance.Default(tensor.Type));
        }
    }

    /// <summary>Outputs that differ; empty when all bits are equal.</summary>
    public IReadOnlyList<TensorDeviation> Deviations => _deviations;

    public ElementDifference? First { get; private set; }

    public bool Within => _deviations.All(deviation => deviation.Within);

    private static string? Mismatch(NamedTensor given, NamedTensor? here)
    {
        if (here is null) return $"the model has no output '{given.Name}'";
        if (given.Type != here.Type) return $"output '{given.Name}' has type {given.Type} in the answer, {here.Type} here";
        if (!given.Shape.Span.SequenceEqual(here.Shape.Span) || given.Data.Length != here.Data.Length)
            return $"output '{given.Name}' has shape [{string.Join(',', given.Shape.ToArray())}] in the answer, [{string.Join(',', here.Shape.ToArray())}] here";
        return null;
    }

    private void Refuse(NamedTensor given, NamedTensor? here, string mismatch)
    {
        var elements = (here ?? given).Data.Length / Math.Max(1, ElementTypes.SizeOf((here ?? given).Type));
        _deviations.Add(new TensorDeviation(given.Name, elements, elements, double.PositiveInfinity, double.PositiveInfinity, Within: false, mismatch));
    }

    private void Compare(NamedTensor given, NamedTensor here, double tolerance)
    {
        ReadOnlySpan<byte> left = given.Data.Span, right = here.Data.Span;
        if (left.SequenceEqual(right)) return;
        var size = ElementTypes.SizeOf(given.Type);
        long different = 0;
        double absolute = 0, relative = 0;
        var within = true;
        for (var at = 0; at < left.Length; at += size)
        {
            ReadOnlySpan<byte> a = left.Slice(at, size), b = right.Slice(at, size);
            if (a.SequenceEqual(b)) continue;
            different++;
            First ??= new ElementDifference(given.Name, IndexOf(at / size, given.Shape.Span), Elements.Bits(a), Elements.Bits(b), Elements.Text(given.Type, a), Elements.Text(given.Type, b));
            double x = Elements.Value(given.Type, a), y = Elements.Value(given.Type, b);
            within &= ReplayTolerance.Holds(given.Type, x, y, tolerance);
            var distance = Distance(x, y);
            absolute = Math.Max(absolute, distance);
            relative = Math.Max(relative, distance == 0 ? 0 : distance / Math.Max(Math.Abs(x), Math.Abs(y)) is var share && double.IsNaN(share) ? double.PositiveInfinity : share);
        }

        _deviations.Add(new TensorDeviation(given.Name, left.Length / size, different, absolute, relative, within, null));
    }

    private static double Distance(double x, double y)
    {
        // Two NaNs of other payload, or zeros of other sign, are other bits of the same value.
        if (x.Equals(y)) return 0;
        var distance = Math.Abs(x - y);
        return double.IsNaN(distance) ? double.PositiveInfinity : distance;
    }

    private static long[] IndexOf(long position, ReadOnlySpan<long> shape)
    {
        var index = new long[shape.Length];
        for (var i = shape.Length - 1; i >= 0; i--) (position, index[i]) = Math.DivRem(position, shape[i]);
        return index;
    }
}
