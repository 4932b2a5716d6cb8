using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Verification.Replay;

/// <summary>When values from two libraries or processors count as the same answer. A weaker statement than equal bits, and never shown as one.</summary>
public static class ReplayTolerance
{
    /// <summary>
    /// For floats 1e-4: other kernels of the same model were seen to differ by 1e-6 to 1e-5, other models differ by far more.
    /// For half precision four units in its last place at 1. Other types: none, their elements must be equal.
    /// </summary>
    public static double Default(ElementType type) => type switch
    {
        ElementType.Float32 or ElementType.Float64 => 1e-4,
        ElementType.Float16 => 1.0 / 256,
        _ => 0,
    };

    /// <summary>Whether two values differ by at most the tolerance, taken relative to magnitudes above 1. NaN equals NaN, an infinity itself.</summary>
    public static bool Holds(ElementType type, double given, double here, double tolerance)
    {
        if (!Elements.IsFloat(type)) return false;
        if (given.Equals(here)) return true;
        return Math.Abs(given - here) <= tolerance * Math.Max(1, Math.Max(Math.Abs(given), Math.Abs(here))) && double.IsFinite(given) && double.IsFinite(here);
    }
}
