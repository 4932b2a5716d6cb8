using System.Text;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>
/// Finds the first tensor of an ONNX file that keeps its data in another file (onnx.proto: TensorProto.external_data).
/// Walks the protobuf wire format; a malformed file ends the walk, because refusing it is ONNX Runtime's job.
/// </summary>
internal static class OnnxExternalData
{
    // Deeper nesting is refused by protobuf itself.
    private const int MaxDepth = 100;
    private const int LengthDelimited = 2;

    private enum Message
    {
        Model, Graph, Node, Attribute, Tensor, SparseTensor, Function, Other,
    }

    /// <summary>The location named by the file, or null when every weight is inside.</summary>
    public static string? Find(ReadOnlySpan<byte> model) => Walk(model, Message.Model, 0);

    private static string? Walk(ReadOnlySpan<byte> bytes, Message message, int depth)
    {
        if (depth > MaxDepth) return null;
        while (TryReadField(ref bytes, out var field, out var payload))
        {
            if (message == Message.Tensor && field == 13) return LocationIn(payload);
            var child = ChildOf(message, field);
            if (child != Message.Other && Walk(payload, child, depth + 1) is { } found) return found;
        }

        return null;
    }

    private static Message ChildOf(Message message, int field) => (message, field) switch
    {
        (Message.Model, 7) => Message.Graph,
        (Message.Model, 25) => Message.Function,
        (Message.Graph, 1) or (Message.Function, 7) => Message.Node,
        (Message.Graph, 5) => Message.Tensor,
        (Message.Graph, 15) => Message.SparseTensor,
        (Message.Node, 5) or (Message.Function, 11) => Message.Attribute,
        (Message.Attribute, 5 or 10) => Message.Tensor,
        (Message.Attribute, 6 or 11) => Message.Graph,
        (Message.Attribute, 22 or 23) => Message.SparseTensor,
        (Message.SparseTensor, 1 or 2) => Message.Tensor,
        _ => Message.Other,
    };

    /// <summary>The value of a StringStringEntryProto.</summary>
    private static string LocationIn(ReadOnlySpan<byte> entry)
    {
        while (TryReadField(ref entry, out var field, out var payload))
            if (field == 2) return Encoding.UTF8.GetString(payload);
        return "unnamed";
    }

    /// <summary>Reads one field; <paramref name="payload"/> is empty unless the field is length-delimited.</summary>
    private static bool TryReadField(ref ReadOnlySpan<byte> bytes, out int field, out ReadOnlySpan<byte> payload)
    {
        field = 0;
        payload = default;
        if (!TryReadVarint(ref bytes, out var key)) return false;
        field = (int)(key >> 3);
        switch ((int)(key & 7))
        {
            case 0: return TryReadVarint(ref bytes, out _);
            case 1: return TrySkip(ref bytes, 8, out _);
            case LengthDelimited: return TryReadVarint(ref bytes, out var length) && TrySkip(ref bytes, length, out payload);
            case 5: return TrySkip(ref bytes, 4, out _);
            default: return false;
        }
    }

    private static bool TrySkip(ref ReadOnlySpan<byte> bytes, ulong count, out ReadOnlySpan<byte> skipped)
    {
        skipped = default;
        if (count > (ulong)bytes.Length) return false;
        skipped = bytes[..(int)count];
        bytes = bytes[(int)count..];
        return true;
    }

    private static bool TryReadVarint(ref ReadOnlySpan<byte> bytes, out ulong value)
    {
        value = 0;
        for (var i = 0; i < bytes.Length && i < 10; i++)
        {
            value |= (ulong)(bytes[i] & 0x7f) << (7 * i);
            if ((bytes[i] & 0x80) != 0) continue;
            bytes = bytes[(i + 1)..];
            return true;
        }

        return false;
    }
}
