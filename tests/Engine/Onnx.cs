using System.Text;

namespace OpenGradient.Engine.Engine.Tests;

/// <summary>Writes ONNX files by hand (protobuf.dev, "Encoding"; onnx.proto), so that they can say what no exporter would.</summary>
internal static class Onnx
{
    public const int Float = 1, Int64 = 7, Text = 8;

    public static byte[] Varint(int field, ulong value) => [.. Number((ulong)field << 3), .. Number(value)];

    public static byte[] Bytes(int field, params byte[][] parts)
    {
        byte[] payload = [.. parts.SelectMany(part => part)];
        return [.. Number(((ulong)field << 3) | 2), .. Number((ulong)payload.Length), .. payload];
    }

    public static byte[] Words(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

    /// <summary>x float32 [batch,8] → y = x + w, with the weight given as a TensorProto's fields.</summary>
    public static byte[] AddModel(byte[] weight, string op = "Add", ulong opset = 17, ulong ir = 8) => Model(
        [Node(op, ["x", "w"], "y"), Bytes(5, weight)], opset, ir);

    public static byte[] Model(byte[][] graph, ulong opset = 17, ulong ir = 8) =>
    [
        .. Varint(1, ir),
        .. Bytes(7, [.. graph, Words(2, "made"), Bytes(11, Value("x")), Bytes(12, Value("y"))]),
        .. Bytes(8, Varint(2, opset)),
    ];

    public static byte[] Node(string op, string[] inputs, string output, params byte[][] attributes) =>
        Bytes(1, [.. inputs.Select(input => Words(1, input)), Words(2, output), Words(4, op), .. attributes.Select(attribute => Bytes(5, attribute))]);

    /// <summary>A float32 vector of 8 in another file.</summary>
    public static byte[] External(string location, string? offset = null, string? length = null, string name = "w") =>
        [.. Varint(1, 8), .. Varint(2, Float), .. Words(8, name), .. Reference(location, offset, length)];

    public static byte[] Reference(string location, string? offset = null, string? length = null) =>
    [
        .. Entry("location", location),
        .. offset is null ? [] : Entry("offset", offset),
        .. length is null ? [] : Entry("length", length),
        .. Varint(14, 1),
    ];

    public static byte[] Entry(string key, string value) => Bytes(13, Words(1, key), Words(2, value));

    private static byte[] Value(string name) =>
    [
        .. Words(1, name),
        .. Bytes(2, Bytes(1, Varint(1, Float), Bytes(2, Bytes(1, Words(2, "batch")), Bytes(1, Varint(1, 8))))),
    ];

    private static byte[] Number(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }
}
