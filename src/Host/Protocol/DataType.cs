using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;

namespace OpenGradient.Engine.Host.Protocol;

/// <summary>The Open Inference Protocol's datatypes: names, ONNX element codes, and one element's way between JSON and little-endian bytes.</summary>
public static class DataType
{
    private sealed record Entry(string Name, byte Code, int Size);

    private static readonly Entry[] Entries =
    [
        new("FP32", 1, 4), new("UINT8", 2, 1), new("INT8", 3, 1), new("UINT16", 4, 2), new("INT16", 5, 2), new("INT32", 6, 4),
        new("INT64", 7, 8), new("BOOL", 9, 1), new("FP16", 10, 2), new("FP64", 11, 8), new("UINT32", 12, 4), new("UINT64", 13, 8),
    ];

    /// <summary>The ONNX element code of a protocol datatype, or null.</summary>
    public static byte? CodeOf(string name) => Array.Find(Entries, entry => entry.Name == name)?.Code;

    public static string NameOf(byte code) => Array.Find(Entries, entry => entry.Code == code)?.Name ?? $"ONNX{code}";

    /// <summary>Bytes of one element; 0 for a type the protocol does not carry.</summary>
    public static int SizeOf(byte code) => Array.Find(Entries, entry => entry.Code == code)?.Size ?? 0;

    /// <summary>Writes the reader's current token as one element. False when the token is not such a value.</summary>
    public static bool TryWriteElement(ref Utf8JsonReader json, byte code, Span<byte> destination)
    {
        if (code == 9)
        {
            if (json.TokenType is not (JsonTokenType.True or JsonTokenType.False)) return false;
            destination[0] = json.TokenType == JsonTokenType.True ? (byte)1 : (byte)0;
            return true;
        }

        return json.TokenType == JsonTokenType.Number && TryWriteNumber(ref json, code, destination);
    }

    public static void WriteElement(Utf8JsonWriter json, byte code, ReadOnlySpan<byte> element)
    {
        switch (code)
        {
            case 1: WriteFloat(json, BinaryPrimitives.ReadSingleLittleEndian(element)); break;
            case 2: json.WriteNumberValue(element[0]); break;
            case 3: json.WriteNumberValue((sbyte)element[0]); break;
            case 4: json.WriteNumberValue(BinaryPrimitives.ReadUInt16LittleEndian(element)); break;
            case 5: json.WriteNumberValue(BinaryPrimitives.ReadInt16LittleEndian(element)); break;
            case 6: json.WriteNumberValue(BinaryPrimitives.ReadInt32LittleEndian(element)); break;
            case 7: json.WriteNumberValue(BinaryPrimitives.ReadInt64LittleEndian(element)); break;
            case 9: json.WriteBooleanValue(element[0] != 0); break;
            case 10: WriteFloat(json, (float)BinaryPrimitives.ReadHalfLittleEndian(element)); break;
            case 11: WriteDouble(json, BinaryPrimitives.ReadDoubleLittleEndian(element)); break;
            case 12: json.WriteNumberValue(BinaryPrimitives.ReadUInt32LittleEndian(element)); break;
            case 13: json.WriteNumberValue(BinaryPrimitives.ReadUInt64LittleEndian(element)); break;
        }
    }

    private static bool TryWriteNumber(ref Utf8JsonReader json, byte code, Span<byte> to)
    {
        switch (code)
        {
            case 1:
                if (!json.TryGetSingle(out var single) || !float.IsFinite(single)) return false;
                BinaryPrimitives.WriteSingleLittleEndian(to, single);
                return true;
            case 10:
                // From the digits at once: by way of a float it would be rounded twice, and now and then to the wrong neighbour.
                if (!Half.TryParse(json.ValueSpan, NumberStyles.Float, CultureInfo.InvariantCulture, out var half) || !Half.IsFinite(half)) return false;
                BinaryPrimitives.WriteHalfLittleEndian(to, half);
                return true;
            case 11:
                if (!json.TryGetDouble(out var number) || !double.IsFinite(number)) return false;
                BinaryPrimitives.WriteDoubleLittleEndian(to, number);
                return true;
            case 13:
                if (!json.TryGetUInt64(out var large)) return false;
                BinaryPrimitives.WriteUInt64LittleEndian(to, large);
                return true;
            // Unsigned numbers of every width are read alike: none has a sign, not even that of −0.
            case 2 or 4 or 12 when json.ValueSpan[0] == '-':
                return false;
            default:
                return json.TryGetInt64(out var integer) && TryWriteInteger(integer, code, to);
        }
    }

    private static bool TryWriteInteger(long value, byte code, Span<byte> to)
    {
        var (low, high) = code switch
        {
            2 => (byte.MinValue, byte.MaxValue),
            3 => (sbyte.MinValue, sbyte.MaxValue),
            4 => (ushort.MinValue, ushort.MaxValue),
            5 => (short.MinValue, short.MaxValue),
            6 => (int.MinValue, int.MaxValue),
            7 => (long.MinValue, long.MaxValue),
            12 => ((long)uint.MinValue, (long)uint.MaxValue),
            _ => (1L, 0L),
        };
        if (value < low || value > high) return false;
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        bytes[..to.Length].CopyTo(to);
        return true;
    }

    // JSON has no NaN or infinity; null says that the element is not a number that JSON can carry.
    private static void WriteFloat(Utf8JsonWriter json, float value)
    {
        if (float.IsFinite(value)) json.WriteNumberValue(value);
        else json.WriteNullValue();
    }

    private static void WriteDouble(Utf8JsonWriter json, double value)
    {
        if (double.IsFinite(value)) json.WriteNumberValue(value);
        else json.WriteNullValue();
    }
}
