using System.Runtime.InteropServices;
using System.Text.Json;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Load;

/// <summary>The shipped inputs: as they are lent to the engine, as bodies for HTTP, and the request digest each must be committed to.</summary>
internal sealed class InputSet
{
    private InputSet(string name, long[] shape, float[][] values, byte[][] bodies)
    {
        Name = name;
        Shape = shape;
        Values = values;
        Bodies = bodies;
        Digests = [.. values.Select(value => DigestOf(name, shape, value))];
    }

    public string Name { get; }

    public long[] Shape { get; }

    public float[][] Values { get; }

    /// <summary>Open Inference Protocol requests.</summary>
    public byte[][] Bodies { get; }

    public Hash256[] Digests { get; }

    public int Count => Values.Length;

    /// <summary>Reads every inputs/*.json of a model with one float32 input of one row.</summary>
    public static InputSet Read(string modelFolder)
    {
        var values = new List<float[]>();
        var bodies = new List<byte[]>();
        string? name = null;
        long[] shape = [];
        foreach (var file in Directory.GetFiles(Path.Combine(modelFolder, "inputs"), "*.json").Order(StringComparer.Ordinal))
        {
            using var items = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (var item in items.RootElement.EnumerateArray())
            {
                var request = item.GetProperty("request");
                var input = request.GetProperty("inputs")[0];
                if (input.GetProperty("datatype").GetString() != "FP32") throw new InvalidOperationException($"{file}: this benchmark drives models of one FP32 input");
                name ??= input.GetProperty("name").GetString();
                shape = [.. input.GetProperty("shape").EnumerateArray().Select(dimension => dimension.GetInt64())];
                values.Add([.. input.GetProperty("data").EnumerateArray().Select(value => value.GetSingle())]);
                bodies.Add(JsonSerializer.SerializeToUtf8Bytes(request, JsonElementContext.Default.JsonElement));
            }
        }

        return new InputSet(name ?? throw new InvalidOperationException($"{modelFolder} has no inputs"), shape, [.. values], [.. bodies]);
    }

    private static Hash256 DigestOf(string name, long[] shape, float[] values)
    {
        var bytes = MemoryMarshal.AsBytes<float>(values).ToArray();
        return TensorSetDigest.Of([(name, TensorSetDigest.Header(name, (byte)ElementType.Float32, shape, bytes.Length), bytes)]);
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonElement))]
internal sealed partial class JsonElementContext : System.Text.Json.Serialization.JsonSerializerContext;
