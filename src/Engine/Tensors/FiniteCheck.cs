using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Tensors;

/// <summary>Finds NaN and infinities in the floating-point types; every other type is finite.</summary>
internal static class FiniteCheck
{
    public static bool AllFinite(ElementType type, ReadOnlySpan<byte> bytes) => type switch
    {
        ElementType.Float32 => AllBelow(MemoryMarshal.Cast<byte, uint>(bytes), 0x7f80_0000u),
        ElementType.Float64 => AllBelow(MemoryMarshal.Cast<byte, ulong>(bytes), 0x7ff0_0000_0000_0000ul),
        ElementType.Float16 => AllBelow(MemoryMarshal.Cast<byte, ushort>(bytes), (ushort)0x7c00),
        _ => true,
    };

    // Without its sign bit, a finite number is an integer below the bits of infinity.
    private static bool AllBelow(ReadOnlySpan<uint> values, uint infinity)
    {
        uint largest = 0;
        foreach (var value in values) largest = Math.Max(largest, value & 0x7fff_ffffu);
        return largest < infinity;
    }

    private static bool AllBelow(ReadOnlySpan<ulong> values, ulong infinity)
    {
        ulong largest = 0;
        foreach (var value in values) largest = Math.Max(largest, value & 0x7fff_ffff_ffff_fffful);
        return largest < infinity;
    }

    private static bool AllBelow(ReadOnlySpan<ushort> values, ushort infinity)
    {
        ushort largest = 0;
        foreach (var value in values) largest = Math.Max(largest, (ushort)(value & 0x7fff));
        return largest < infinity;
    }
}
