using System.Buffers;
using System.Text.Json;

namespace OpenGradient.Engine.Host.Protocol;

/// <summary>The bytes behind the JSON of a request that uses the binary tensor extension; consumed in the order of the inputs.</summary>
internal sealed class BinaryTail(ReadOnlyMemory<byte> bytes)
{
    private ReadOnlyMemory<byte> _rest = bytes;

    public ReadOnlyMemory<byte> Take(long length, string tensor)
    {
        if (length < 0 || length > _rest.Length) throw new BadRequestException($"input {Quoted.Text(tensor)}: binary_data_size is {length}, but {_rest.Length} bytes are left");
        var taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }

    public void End()
    {
        if (!_rest.IsEmpty) throw new BadRequestException($"the body has {_rest.Length} bytes that no input names");
    }
}

/// <summary>Reads one entry of <c>inputs</c>.</summary>
internal static class TensorReader
{
    private const int MaxRank = 16;

    private static readonly string[] Properties = ["name", "datatype", "shape", "parameters", "data"];
    private static readonly string[] Parameters = ["binary_data_size"];

    public static WireTensor Read(ref Utf8JsonReader json, int index, BinaryTail binary)
    {
        if (json.TokenType != JsonTokenType.StartObject) throw new BadRequestException($"input {index} is not an object");
        string? name = null, datatype = null;
        long[]? shape = null;
        var data = default(Utf8JsonReader);
        var hasData = false;
        long? binarySize = null;
        var seen = new PropertySet(Properties);
        while (InferRequest.NextProperty(ref json, out var property))
        {
            seen.Add(property, "input", index);
            switch (property)
            {
                case "name": name = InferRequest.Text(ref json, $"inputs[{index}].name"); break;
                case "datatype": datatype = InferRequest.Text(ref json, $"inputs[{index}].datatype"); break;
                case "shape": shape = ReadShape(ref json, index); break;
                case "parameters": binarySize = ReadBinarySize(ref json, index); break;
                default:
                    // Data may stand before shape or datatype; it is read when both are known.
                    json.Read();
                    data = json;
                    hasData = true;
                    json.Skip();
                    break;
            }
        }

        name = name ?? throw new BadRequestException($"input {index} has no name");
        var code = DataType.CodeOf(datatype ?? throw new BadRequestException($"input {Quoted.Text(name)} has no datatype"))
            ?? throw new BadRequestException($"input {Quoted.Text(name)}: datatype {Quoted.Text(datatype)} is not supported");
        var bytes = ByteCount(name, code, shape ?? throw new BadRequestException($"input {Quoted.Text(name)} has no shape"));
        if (binarySize is { } size)
        {
            if (hasData) throw new BadRequestException($"input {Quoted.Text(name)} has both data and binary_data_size");
            if (size != bytes) throw new BadRequestException($"input {Quoted.Text(name)}: shape [{string.Join(",", shape)}] of {datatype} is {bytes} bytes, binary_data_size is {size}");
            return new WireTensor(name, code, shape, binary.Take(size, name));
        }

        if (!hasData) throw new BadRequestException($"input {Quoted.Text(name)} has no data");
        return new WireTensor(name, code, shape, ReadData(ref data, name, datatype, code, bytes));
    }

    private static long[] ReadShape(ref Utf8JsonReader json, int index)
    {
        InferRequest.Expect(ref json, JsonTokenType.StartArray, $"shape of input {index}");
        var shape = new List<long>();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out var dimension) || dimension < 0 || shape.Count == MaxRank)
                throw new BadRequestException($"shape of input {index} is not a list of at most {MaxRank} sizes");
            shape.Add(dimension);
        }

        return [.. shape];
    }

    private static long? ReadBinarySize(ref Utf8JsonReader json, int index)
    {
        long? size = null;
        InferRequest.Expect(ref json, JsonTokenType.StartObject, $"parameters of input {index}");
        var seen = new PropertySet(Parameters, "parameter");
        while (InferRequest.NextProperty(ref json, out var name))
        {
            seen.Add(name, "parameters of input", index);
            json.Read();
            if (json.TokenType != JsonTokenType.Number || !json.TryGetInt64(out var value)) throw new BadRequestException($"input {index}: binary_data_size is not a number");
            size = value;
        }

        return size;
    }

    internal static long ByteCount(string name, byte code, long[] shape)
    {
        long count = DataType.SizeOf(code);
        foreach (var dimension in shape)
        {
            // The body's own cap bounds honest requests; this stops a shape that overflows before anything is allocated for it.
            if (dimension != 0 && count > int.MaxValue / dimension) throw new BadRequestException($"input {Quoted.Text(name)}: shape [{string.Join(",", shape)}] is too large");
            count *= dimension;
        }

        return count;
    }

    private static byte[] ReadData(ref Utf8JsonReader json, string name, string datatype, byte code, long expected)
    {
        if (json.TokenType != JsonTokenType.StartArray) throw new BadRequestException($"input {Quoted.Text(name)}: data is not an array");
        var size = DataType.SizeOf(code);
        var bytes = new ArrayBufferWriter<byte>(256);
        for (var depth = 1; depth > 0 && json.Read();)
        {
            if (json.TokenType == JsonTokenType.StartArray) { depth++; continue; }
            if (json.TokenType == JsonTokenType.EndArray) { depth--; continue; }
            if (bytes.WrittenCount >= expected) throw new BadRequestException($"input {Quoted.Text(name)}: data has more than {expected / size} elements");
            if (!DataType.TryWriteElement(ref json, code, bytes.GetSpan(size)[..size]))
                throw new BadRequestException($"input {Quoted.Text(name)}: element {bytes.WrittenCount / size} is not a {datatype} value");
            bytes.Advance(size);
        }

        if (bytes.WrittenCount != expected) throw new BadRequestException($"input {Quoted.Text(name)}: data has {bytes.WrittenCount / size} elements, its shape needs {expected / size}");
        return bytes.WrittenSpan.ToArray();
    }
}
