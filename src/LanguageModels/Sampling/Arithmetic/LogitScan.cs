using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace OpenGradient.Engine.LanguageModels.Sampling.Arithmetic;

/// <summary>Passes over one row of logits.</summary>
internal static class LogitScan
{
    private const int Lanes = 16;

    /// <summary>False when a logit is NaN or positive infinity. Negative infinity is a token that cannot come.</summary>
    public static bool TryMax(ReadOnlySpan<float> row, out float max)
    {
        var vectors = MemoryMarshal.Cast<float, Vector512<float>>(row);
        var largest = Vector512.Create(float.NegativeInfinity);
        var numbers = Vector512<float>.AllBitsSet;
        foreach (var vector in vectors)
        {
            // NaN is greater than nothing and equal to nothing.
            largest = Vector512.ConditionalSelect(Vector512.GreaterThan(vector, largest), vector, largest);
            numbers &= Vector512.Equals(vector, vector);
        }

        max = float.NegativeInfinity;
        var isFinite = Vector512.EqualsAll(numbers.AsInt32(), Vector512<int>.AllBitsSet);
        for (var lane = 0; lane < Lanes; lane++) max = largest[lane] > max ? largest[lane] : max;
        foreach (var value in row[(vectors.Length * Lanes)..])
        {
            isFinite &= !float.IsNaN(value);
            if (value > max) max = value;
        }

        return isFinite && !float.IsPositiveInfinity(max);
    }

    /// <summary>The first column that holds a value that the row has.</summary>
    public static int IndexOf(ReadOnlySpan<float> row, float value)
    {
        var vectors = MemoryMarshal.Cast<float, Vector512<float>>(row);
        var wanted = Vector512.Create(value);
        var start = vectors.Length * Lanes;
        for (var i = 0; i < vectors.Length; i++)
        {
            if (!Vector512.EqualsAny(vectors[i], wanted)) continue;
            start = i * Lanes;
            break;
        }

        while (row[start] != value) start++;
        return start;
    }

    /// <summary>
    /// ln of the sum of e to the power of each logit less the largest. Column i is added to sum i mod 16, in order; the sixteen
    /// sums are added in order.
    /// </summary>
    public static double LogSum(ReadOnlySpan<float> row, float max)
    {
        var vectors = MemoryMarshal.Cast<float, Vector512<float>>(row);
        var least = Vector512.Create(FixedMath.LeastExponent);
        var shift = Vector512.Create(max);
        var (low, high) = (Vector512<double>.Zero, Vector512<double>.Zero);
        foreach (var vector in vectors)
        {
            var difference = vector - shift;
            var (lower, upper) = Vector512.Widen(FixedMath.Exp(Vector512.ConditionalSelect(Vector512.GreaterThan(difference, least), difference, least)));
            low += lower;
            high += upper;
        }

        Span<double> sums = stackalloc double[Lanes];
        low.CopyTo(sums);
        high.CopyTo(sums[8..]);
        var tail = row[(vectors.Length * Lanes)..];
        for (var i = 0; i < tail.Length; i++) sums[i] += FixedMath.Exp(Math.Max(tail[i] - max, FixedMath.LeastExponent));
        var sum = 0.0;
        foreach (var part in sums) sum += part;
        return FixedMath.Log(sum);
    }

    /// <summary>The columns with the largest logits, largest first, the lower column first among equals.</summary>
    /// <param name="columns">As many as are wanted, at most 32.</param>
    /// <returns>How many there are.</returns>
    public static int Largest(ReadOnlySpan<float> row, Span<int> columns)
    {
        if (columns.IsEmpty) return 0;
        Span<float> values = stackalloc float[columns.Length];
        var count = 0;
        var vectors = MemoryMarshal.Cast<float, Vector512<float>>(row);
        for (var i = 0; i < vectors.Length; i++)
        {
            if (count == columns.Length && !Vector512.GreaterThanAny(vectors[i], Vector512.Create(values[count - 1]))) continue;
            for (var lane = 0; lane < Lanes; lane++) count = Insert((i * Lanes) + lane, vectors[i][lane], columns, values, count);
        }

        for (var i = vectors.Length * Lanes; i < row.Length; i++) count = Insert(i, row[i], columns, values, count);
        return count;
    }

    private static int Insert(int column, float value, Span<int> columns, Span<float> values, int count)
    {
        if (count == columns.Length && !(value > values[count - 1])) return count;
        var at = count == columns.Length ? count - 1 : count++;
        for (; at > 0 && value > values[at - 1]; at--) (columns[at], values[at]) = (columns[at - 1], values[at - 1]);
        (columns[at], values[at]) = (column, value);
        return count;
    }
}
