using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Tests.Doubles;

internal sealed record TensorToWrite(string Name, string Type, long[] Shape, byte[] Bytes);

/// <summary>Writes the safetensors format: a length, a JSON header, the tensors' bytes.</summary>
internal static class SafetensorsBytes
{
    public static byte[] Of(IEnumerable<TensorToWrite> tensors)
    {
        var header = new StringBuilder("{\"__metadata__\": {\"format\": \"pt\"}");
        var data = new List<byte>();
        foreach (var tensor in tensors)
        {
            header.Append(", ").Append(JsonSerializer.Serialize(tensor.Name)).Append(": {\"dtype\": \"").Append(tensor.Type)
                .Append("\", \"shape\": [").AppendJoin(", ", tensor.Shape)
                .Append("], \"data_offsets\": [").Append(data.Count).Append(", ").Append(data.Count + tensor.Bytes.Length).Append("]}");
            data.AddRange(tensor.Bytes);
        }

        return Of(header.Append('}').ToString(), [.. data]);
    }

    /// <summary>Any header over any data.</summary>
    public static byte[] Of(string header, byte[] data) => Of(Encoding.UTF8.GetBytes(header), data);

    public static byte[] Of(byte[] header, byte[] data)
    {
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        return [.. length, .. header, .. data];
    }
}
