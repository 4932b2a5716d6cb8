using System.Runtime.Intrinsics;

namespace OpenGradient.Engine.LanguageModels.Sampling.Arithmetic;

/// <summary>
/// Exponential and logarithm from additions, multiplications and divisions in a written order (docs/formats.md, "Random
/// draws"): the same bits on every machine, which the C library's functions do not promise. Nothing here is fused.
/// </summary>
internal static class FixedMath
{
    /// <summary>Below it, e to the power of x is less than half of the smallest weight; the reduction stays within normal numbers.</summary>
    public const float LeastExponent = -64;

    private const float Log2E = 1.44269504f;

    // ln 2 in two parts. The first has so few bits that its product with a whole number up to 127 is exact.
    private const float Ln2High = 0.693359375f;
    private const float Ln2Low = -2.12194440e-4f;

    /// <summary>e to the power of x, for x from <see cref="LeastExponent"/> to 0.</summary>
    public static float Exp(float x)
    {
        var whole = MathF.Floor((x * Log2E) + 0.5f);
        var rest = (x - (whole * Ln2High)) - (whole * Ln2Low);
        var sum = 1f / 5040;
        sum = (sum * rest) + (1f / 720);
        sum = (sum * rest) + (1f / 120);
        sum = (sum * rest) + (1f / 24);
        sum = (sum * rest) + (1f / 6);
        sum = (sum * rest) + 0.5f;
        sum = (sum * rest) + 1f;
        sum = (sum * rest) + 1f;
        return sum * BitConverter.Int32BitsToSingle(((int)whole + 127) << 23);
    }

    /// <summary>Sixteen at a time, each with the bits of <see cref="Exp(float)"/>.</summary>
    public static Vector512<float> Exp(Vector512<float> x)
    {
        var whole = Vector512.Floor((x * Log2E) + Vector512.Create(0.5f));
        var rest = (x - (whole * Ln2High)) - (whole * Ln2Low);
        var sum = Vector512.Create(1f / 5040);
        sum = (sum * rest) + Vector512.Create(1f / 720);
        sum = (sum * rest) + Vector512.Create(1f / 120);
        sum = (sum * rest) + Vector512.Create(1f / 24);
        sum = (sum * rest) + Vector512.Create(1f / 6);
        sum = (sum * rest) + Vector512.Create(0.5f);
        sum = (sum * rest) + Vector512<float>.One;
        sum = (sum * rest) + Vector512<float>.One;
        return sum * Vector512.ShiftLeft(Vector512.ConvertToInt32(whole) + Vector512.Create(127), 23).AsSingle();
    }

    /// <summary>The natural logarithm of a positive, finite, normal number.</summary>
    public static double Log(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (int)(bits >> 52) - 1023;
        var fraction = BitConverter.Int64BitsToDouble((bits & 0xFFFFFFFFFFFFF) | (1023L << 52));
        if (fraction > 1.4142135623730951)
        {
            fraction *= 0.5;
            exponent++;
        }

        // ln f = 2 artanh((f − 1) / (f + 1)); the ratio is at most 0.1716, so what follows the last term is below 2^−53.
        var ratio = (fraction - 1) / (fraction + 1);
        var square = ratio * ratio;
        var sum = 0.0;
        for (var power = 21; power >= 1; power -= 2) sum = (sum * square) + (1.0 / power);
        return (exponent * 0.6931471805599453) + (2 * ratio * sum);
    }
}
