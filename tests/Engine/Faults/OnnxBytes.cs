using System.Buffers.Binary;
using System.Text;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Engine.Tests.Faults;

/// <summary>
/// ONNX models by their bytes (protobuf, fields as in onnx.proto): what the checked builder in <c>models/</c> refuses to write,
/// such as declarations that do not hold.
/// </summary>
internal sealed class OnnxBytes
{
    private readonly List<byte> _nodes = [], _weights = [], _inputs = [], _outputs = [];

    /// <summary>Dimensions: a number is fixed, a text names an open one, null leaves it unnamed.</summary>
    public OnnxBytes Input(string name, ElementType type, params object?[] dimensions) => Add(_inputs, 11, ValueInfo(name, type, dimensions));

    public OnnxBytes Output(string name, ElementType type, params object?[] dimensions) => Add(_outputs, 12, ValueInfo(name, type, dimensions));

    public OnnxBytes Node(string operation, string[] inputs, string[] outputs) => Add(_nodes, 1,
    [
        .. inputs.SelectMany(name => Field(1, Text(name))), .. outputs.SelectMany(name => Field(2, Text(name))),
        .. Field(3, Text(outputs[0])), .. Field(4, Text(operation)),
    ]);

    /// <summary>An int64 weight.</summary>
    public OnnxBytes Weight(string name, long[] shape, params long[] values)
    {
        var raw = new byte[values.Length * 8];
        for (var i = 0; i < values.Length; i++) BinaryPrimitives.WriteInt64LittleEndian(raw.AsSpan(i * 8), values[i]);
        return Add(_weights, 5, [.. shape.SelectMany(size => Number(1, (ulong)size)), .. Number(2, (byte)ElementType.Int64), .. Field(8, Text(name)), .. Field(9, raw)]);
    }

    public byte[] Build() =>
    [
        .. Number(1, 8),
        .. Field(7, [.. _nodes, .. Field(2, Text("graph")), .. _weights, .. _inputs, .. _outputs]),
        .. Field(8, [.. Field(1, []), .. Number(2, 17)]),
    ];

    private static byte[] ValueInfo(string name, ElementType type, object?[] dimensions)
    {
        var shape = dimensions.SelectMany(dimension => Field(1, dimension switch
        {
            string symbol => Field(2, Text(symbol)),
            null => [],
            _ => Number(1, (ulong)Convert.ToInt64(dimension)),
        }));
        return [.. Field(1, Text(name)), .. Field(2, Field(1, [.. Number(1, (byte)type), .. Field(2, [.. shape])]))];
    }

    private OnnxBytes Add(List<byte> to, int number, byte[] message)
    {
        to.AddRange(Field(number, message));
        return this;
    }

    private static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Field(int number, byte[] payload) => [.. Varint((ulong)(number << 3) | 2), .. Varint((ulong)payload.Length), .. payload];

    private static byte[] Number(int number, ulong value) => [.. Varint((ulong)(number << 3)), .. Varint(value)];

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }
}
