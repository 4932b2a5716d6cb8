namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>The format's element types.</summary>
internal static class SafetensorsType
{
    /// <summary>Bits of an element, or null for a name that is not one of the format's types.</summary>
    public static int? Bits(string type) => type switch
    {
        "F4" => 4,
        "F6_E2M3" or "F6_E3M2" => 6,
        "BOOL" or "U8" or "I8" or "F8_E5M2" or "F8_E4M3" or "F8_E8M0" => 8,
        "I16" or "U16" or "F16" or "BF16" => 16,
        "I32" or "U32" or "F32" => 32,
        "I64" or "U64" or "F64" or "C64" => 64,
        _ => null,
    };

    /// <summary>Bytes of a tensor, or null when its elements do not fill whole bytes or no file could hold them.</summary>
    public static long? Bytes(int bits, IReadOnlyList<long> shape)
    {
        // A dimension of zero makes the tensor empty, whatever the others are.
        if (shape.Contains(0)) return 0;
        var total = (UInt128)bits;
        foreach (var dimension in shape)
        {
            total *= (UInt128)dimension;
            if (total > long.MaxValue) return null;
        }

        return total % 8 == 0 ? (long)(total / 8) : null;
    }
}
