using System.Buffers.Binary;
using System.Globalization;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Verification.Replay;

/// <summary>Single elements of a tensor, for comparison and for people.</summary>
internal static class Elements
{
    public static bool IsFloat(ElementType type) => type is ElementType.Float16 or ElementType.Float32 or ElementType.Float64;

    public static bool IsFinite(ElementType type, ReadOnlySpan<byte> element) => !IsFloat(type) || double.IsFinite(Value(type, element));

    /// <summary>The bits, most significant first, for example <c>0x3f800000</c>.</summary>
    public static string Bits(ReadOnlySpan<byte> element)
    {
        Span<byte> reversed = stackalloc byte[element.Length];
        element.CopyTo(reversed);
        reversed.Reverse();
        return $"0x{Convert.ToHexStringLower(reversed)}";
    }

    /// <summary>The shortest text that reads back as the same value.</summary>
    public static string Text(ElementType type, ReadOnlySpan<byte> element) => type switch
    {
        ElementType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(element).ToString("R", CultureInfo.InvariantCulture),
        ElementType.Float16 => ((float)BinaryPrimitives.ReadHalfLittleEndian(element)).ToString("R", CultureInfo.InvariantCulture),
        ElementType.Float64 => BinaryPrimitives.ReadDoubleLittleEndian(element).ToString("R", CultureInfo.InvariantCulture),
        ElementType.UInt64 => BinaryPrimitives.ReadUInt64LittleEndian(element).ToString(CultureInfo.InvariantCulture),
        ElementType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(element).ToString(CultureInfo.InvariantCulture),
        ElementType.Bool => element[0] != 0 ? "true" : "false",
        _ => Value(type, element).ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>The value; 64-bit integers are rounded, so equality is decided over bits.</summary>
    public static double Value(ElementType type, ReadOnlySpan<byte> element) => type switch
    {
        ElementType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(element),
        ElementType.Float64 => BinaryPrimitives.ReadDoubleLittleEndian(element),
        ElementType.Float16 => (double)BinaryPrimitives.ReadHalfLittleEndian(element),
        ElementType.Int8 => (sbyte)element[0],
        ElementType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(element),
        ElementType.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(element),
        ElementType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(element),
        ElementType.UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(element),
        ElementType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(element),
        ElementType.UInt64 => BinaryPrimitives.ReadUInt64LittleEndian(element),
        _ => element[0],
    };
}
