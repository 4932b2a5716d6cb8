using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Kernels;

/// <summary>
/// The decoder as its papers write it, in double precision, one token after the other, with nothing clever: what the kernels
/// are held against. One instance is one sequence.
/// </summary>
internal sealed class ReferenceForward(TinyWeights weights, Func<int, double>? inverseFrequency = null)
{
    private readonly TinyShape _shape = weights.Shape;
    private readonly List<double[]>[] _keys = [.. Enumerable.Range(0, weights.Shape.Layers).Select(_ => new List<double[]>())];
    private readonly List<double[]>[] _values = [.. Enumerable.Range(0, weights.Shape.Layers).Select(_ => new List<double[]>())];

    /// <summary>Appends a token; its final hidden state after the last norm.</summary>
    public double[] Hidden(int token)
    {
        var embedding = weights["model.embed_tokens.weight"];
        var x = Enumerable.Range(0, _shape.Hidden).Select(i => (double)embedding[token * _shape.Hidden + i]).ToArray();
        for (var layer = 0; layer < _shape.Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            Add(x, Attention(layer, Norm(x, weights[prefix + "input_layernorm.weight"])));
            Add(x, Mlp(prefix + "mlp.", Norm(x, weights[prefix + "post_attention_layernorm.weight"])));
        }

        return Norm(x, weights["model.norm.weight"]);
    }

    /// <summary>Appends a token; the logits after it.</summary>
    public double[] Logits(int token) => Multiply(weights.Output, Hidden(token));

    private double[] Attention(int layer, double[] x)
    {
        var (prefix, position, dim) = ($"model.layers.{layer}.self_attn.", _keys[layer].Count, _shape.HeadDim);
        var q = Rotate(HeadNorm(prefix + "q_norm.weight", Project(prefix + "q_proj", x, _shape.HasProjectionBias)), position);
        _keys[layer].Add(Rotate(HeadNorm(prefix + "k_norm.weight", Project(prefix + "k_proj", x, _shape.HasProjectionBias)), position));
        _values[layer].Add(Project(prefix + "v_proj", x, _shape.HasProjectionBias));

        var output = new double[_shape.Heads * dim];
        for (var head = 0; head < _shape.Heads; head++)
        {
            var (from, kv) = (head * dim, head / (_shape.Heads / _shape.KvHeads) * dim);
            var scores = _keys[layer].Select(key => Enumerable.Range(0, dim).Sum(i => q[from + i] * key[kv + i]) / Math.Sqrt(dim)).ToArray();
            var largest = scores.Max();
            var shares = scores.Select(score => Math.Exp(score - largest)).ToArray();
            var total = shares.Sum();
            for (var i = 0; i < dim; i++)
                output[from + i] = shares.Select((share, at) => share / total * _values[layer][at][kv + i]).Sum();
        }

        return Project(prefix + "o_proj", output, _shape.HasOutputBias);
    }

    private double[] Mlp(string prefix, double[] x)
    {
        var (gate, up) = (Multiply(weights[prefix + "gate_proj.weight"], x), Multiply(weights[prefix + "up_proj.weight"], x));
        return Multiply(weights[prefix + "down_proj.weight"], [.. gate.Zip(up, (g, u) => g / (1 + Math.Exp(-g)) * u)]);
    }

    private double[] Project(string name, double[] x, bool bias)
    {
        var y = Multiply(weights[name + ".weight"], x);
        if (bias) Add(y, [.. weights[name + ".bias"].Select(value => (double)value)]);
        return y;
    }

    /// <summary>Qwen3 norms each head of queries and keys.</summary>
    private double[] HeadNorm(string name, double[] x) =>
        _shape.Architecture != "qwen3" ? x : [.. x.Chunk(_shape.HeadDim).SelectMany(head => Norm(head, weights[name]))];

    private double[] Norm(double[] x, float[] scale)
    {
        var factor = 1 / Math.Sqrt(x.Sum(value => value * value) / x.Length + _shape.NormEpsilon);
        return [.. x.Select((value, i) => value * factor * scale[i])];
    }

    /// <summary>Each head's first half is turned against its second half.</summary>
    private double[] Rotate(double[] x, int position)
    {
        var half = _shape.HeadDim / 2;
        var y = (double[])x.Clone();
        for (var head = 0; head < x.Length; head += _shape.HeadDim)
        {
            for (var i = 0; i < half; i++)
            {
                var frequency = inverseFrequency?.Invoke(i) ?? Math.Pow(_shape.RopeTheta, -2.0 * i / _shape.HeadDim);
                var (sine, cosine) = Math.SinCos(position * frequency);
                (y[head + i], y[head + half + i]) = (x[head + i] * cosine - x[head + half + i] * sine, x[head + half + i] * cosine + x[head + i] * sine);
            }
        }

        return y;
    }

    private static double[] Multiply(float[] matrix, double[] x)
    {
        var y = new double[matrix.Length / x.Length];
        for (var row = 0; row < y.Length; row++)
            for (var i = 0; i < x.Length; i++) y[row] += matrix[row * x.Length + i] * x[i];
        return y;
    }

    private static void Add(double[] x, double[] y)
    {
        for (var i = 0; i < x.Length; i++) x[i] += y[i];
    }
}
