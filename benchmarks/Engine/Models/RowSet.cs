using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Benchmarks.Models;

/// <summary>Distinct rows of input for one model, made from a seed, and the digest that each must be committed to.</summary>
internal sealed class RowSet
{
    private readonly IReadOnlyList<TensorSpec> _inputs;
    private readonly long[][] _shapes;
    private Lazy<byte[][]>? _alone;

    public RowSet(IReadOnlyList<TensorSpec> inputs, int count, int seed)
    {
        _inputs = inputs;
        _shapes = [.. inputs.Select(spec => Shape(spec, 1))];
        var random = new Random(seed);
        Rows = [.. Enumerable.Range(0, count).Select(_ => inputs.Select(spec => Values(spec, random)).ToArray())];
        Digests = [.. Rows.Select(row => DigestOf(inputs, row, 1))];
    }

    /// <summary>Bytes by row and input.</summary>
    public byte[][][] Rows { get; }

    public Hash256[] Digests { get; }

    public int Count => Rows.Length;

    /// <summary>What each row gives when it is executed alone: outputs one after the other in the model's order. Computed once, when first asked for.</summary>
    public Lazy<byte[][]> Alone(BenchContext context, Workload workload) => _alone ??= new Lazy<byte[][]>(() =>
    {
        using var direct = new DirectRows(context.Backend, workload.Name, workload.Path);
        return [.. Rows.Select(direct.Alone)];
    });

    public void AddTo(InferenceRequest request, int row)
    {
        for (var i = 0; i < _inputs.Count; i++) request.Add(_inputs[i].Name, _inputs[i].Type, _shapes[i], Rows[row][i]);
    }

    /// <summary>The dimensions of so many rows of an input.</summary>
    public static long[] Shape(TensorSpec spec, int rows)
    {
        var shape = spec.Dimensions.ToArray();
        if (spec.HasOpenFirst) shape[0] = rows;
        return shape;
    }

    public static Hash256 DigestOf(IReadOnlyList<TensorSpec> inputs, byte[][] data, int rows) => TensorSetDigest.Of(inputs.Select((spec, i) =>
        (spec.Name, TensorSetDigest.Header(spec.Name, (byte)spec.Type, Shape(spec, rows), data[i].Length), (ReadOnlyMemory<byte>)data[i])));

    /// <summary>One row that the shipped models accept: pixels, byte tokens, a mask with a tail of zeros, or plain numbers.</summary>
    public static byte[] Values(TensorSpec spec, Random random)
    {
        var bytes = new byte[spec.HasOpenFirst ? spec.StaticRowBytes : spec.StaticRowBytes * spec.Dimensions[0]];
        var count = bytes.Length / ElementTypes.SizeOf(spec.Type);
        switch (spec)
        {
            case { Type: ElementType.Float32, Name: "pixels" }:
                Fill<float>(bytes, _ => random.Next(17));
                break;
            case { Type: ElementType.Float32 }:
                Fill<float>(bytes, _ => (random.NextSingle() * 4) - 1);
                break;
            case { Type: ElementType.Int64, Name: "attention_mask" }:
                var used = random.Next(1, count + 1);
                Fill<long>(bytes, i => i < used ? 1 : 0);
                break;
            case { Type: ElementType.Int64 }:
                Fill<long>(bytes, _ => random.Next(256));
                break;
            case { Type: ElementType.Bool }:
                Fill<byte>(bytes, _ => (byte)random.Next(2));
                break;
            default:
                Fill<byte>(bytes, _ => (byte)random.Next(64)); // small whole or tiny positive numbers in every other type
                break;
        }

        return bytes;
    }

    private static void Fill<T>(byte[] bytes, Func<int, T> value) where T : unmanaged
    {
        var values = MemoryMarshal.Cast<byte, T>(bytes.AsSpan());
        for (var i = 0; i < values.Length; i++) values[i] = value(i);
    }
}
