namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>Names and numbers of <see cref="WeightScheme"/>.</summary>
internal static class WeightSchemes
{
    public static WeightScheme? Parse(string text) => text switch
    {
        "bf16" => WeightScheme.Bf16, "int8" => WeightScheme.Int8, "int4" => WeightScheme.Int4, _ => null,
    };

    /// <summary>As configuration files and fingerprints have it.</summary>
    public static string TextOf(WeightScheme scheme) => scheme switch
    {
        WeightScheme.Bf16 => "bf16", WeightScheme.Int8 => "int8", WeightScheme.Int4 => "int4",
        _ => throw new ArgumentOutOfRangeException(nameof(scheme)),
    };

    /// <summary>As og_kernels.h and the identity have it.</summary>
    public static byte CodeOf(WeightScheme scheme) => scheme switch
    {
        WeightScheme.Bf16 => 1, WeightScheme.Int8 => 2, WeightScheme.Int4 => 3,
        _ => throw new ArgumentOutOfRangeException(nameof(scheme)),
    };

    public static WeightScheme? OfCode(byte code) => code switch
    {
        1 => WeightScheme.Bf16, 2 => WeightScheme.Int8, 3 => WeightScheme.Int4, _ => null,
    };
}
