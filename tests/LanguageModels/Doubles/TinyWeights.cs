namespace OpenGradient.Engine.LanguageModels.Tests.Doubles;

/// <summary>Random weights of a shape, the same for the same seed. Values are rounded to the file's element type, so they are what a loader reads.</summary>
internal sealed class TinyWeights
{
    private readonly Dictionary<string, float[]> _values = [];

    public TinyWeights(TinyShape shape, ulong seed)
    {
        Shape = shape;
        foreach (var (name, dimensions) in shape.Tensors())
            _values[name] = [.. Draw(name, dimensions, seed).Select(value => Decode(shape.Type, Encode(shape.Type, value)))];
    }

    public TinyShape Shape { get; }

    public float[] this[string name] => _values[name];

    /// <summary>The output layer's weights, whether or not they are the embedding's.</summary>
    public float[] Output => Shape.TiedEmbeddings ? this["model.embed_tokens.weight"] : this["lm_head.weight"];

    public byte[] Bytes(string name) => [.. _values[name].SelectMany(value => Encode(Shape.Type, value))];

    private static byte[] Encode(string type, float value) => type switch
    {
        "F32" => BitConverter.GetBytes(value),
        "F16" => BitConverter.GetBytes((Half)value),
        "BF16" => BitConverter.GetBytes(RoundToBFloat16(value)),
        _ => throw new ArgumentException($"no element type {type}"),
    };

    private static float Decode(string type, byte[] bytes) => type switch
    {
        "F32" => BitConverter.ToSingle(bytes),
        "F16" => (float)BitConverter.ToHalf(bytes),
        _ => BitConverter.UInt32BitsToSingle((uint)BitConverter.ToUInt16(bytes) << 16),
    };

    // To nearest, ties to even; none of these values is a NaN.
    private static ushort RoundToBFloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    private static IEnumerable<float> Draw(string name, int[] dimensions, ulong seed)
    {
        var random = new Random(unchecked((int)(seed * 0x9E3779B97F4A7C15 >> 32)) ^ StableHash(name));
        var count = dimensions.Aggregate(1, (product, dimension) => product * dimension);
        // Norms near 1, biases small; matrices by fan-in, so that activations keep their size; the embedding spreads the logits.
        var (mean, deviation) = dimensions.Length == 1
            ? (name.EndsWith("bias", StringComparison.Ordinal) ? 0.0 : 1.0, 0.1)
            : (0.0, (name.Contains("embed", StringComparison.Ordinal) || name.StartsWith("lm_head", StringComparison.Ordinal) ? 2.5 : 1.0) / Math.Sqrt(dimensions[1]));
        for (var i = 0; i < count; i++) yield return (float)(mean + deviation * Normal(random));
    }

    private static double Normal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static int StableHash(string text) => text.Aggregate(17, (hash, letter) => unchecked(hash * 31 + letter));
}
