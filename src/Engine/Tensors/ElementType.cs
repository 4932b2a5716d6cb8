namespace OpenGradient.Engine.Tensors;

/// <summary>Element types by the codes of ONNX's <c>TensorProto.DataType</c>, which ONNX Runtime's C API shares. Strings, complex and sub-byte types are not served.</summary>
public enum ElementType : byte
{
    None = 0,
    Float32 = 1,
    UInt8 = 2,
    Int8 = 3,
    UInt16 = 4,
    Int16 = 5,
    Int32 = 6,
    Int64 = 7,
    Bool = 9,
    Float16 = 10,
    Float64 = 11,
    UInt32 = 12,
    UInt64 = 13,
}

/// <summary>Facts about <see cref="ElementType"/>.</summary>
public static class ElementTypes
{
    /// <summary>Bytes of one element, 0 for a type that is not served.</summary>
    public static int SizeOf(ElementType type) => type switch
    {
        ElementType.UInt8 or ElementType.Int8 or ElementType.Bool => 1,
        ElementType.UInt16 or ElementType.Int16 or ElementType.Float16 => 2,
        ElementType.Float32 or ElementType.Int32 or ElementType.UInt32 => 4,
        ElementType.Float64 or ElementType.Int64 or ElementType.UInt64 => 8,
        _ => 0,
    };

    public static bool IsServed(ElementType type) => SizeOf(type) != 0;

    /// <summary>The element type of a .NET type, <see cref="ElementType.None"/> when there is none.</summary>
    public static ElementType Of<T>() where T : unmanaged
    {
        if (typeof(T) == typeof(float)) return ElementType.Float32;
        if (typeof(T) == typeof(double)) return ElementType.Float64;
        if (typeof(T) == typeof(Half)) return ElementType.Float16;
        if (typeof(T) == typeof(sbyte)) return ElementType.Int8;
        if (typeof(T) == typeof(byte)) return ElementType.UInt8;
        if (typeof(T) == typeof(short)) return ElementType.Int16;
        if (typeof(T) == typeof(ushort)) return ElementType.UInt16;
        if (typeof(T) == typeof(int)) return ElementType.Int32;
        if (typeof(T) == typeof(long)) return ElementType.Int64;
        if (typeof(T) == typeof(uint)) return ElementType.UInt32;
        if (typeof(T) == typeof(ulong)) return ElementType.UInt64;
        if (typeof(T) == typeof(bool)) return ElementType.Bool;
        return ElementType.None;
    }
}
