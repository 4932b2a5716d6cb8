using OpenGradient.Engine.Benchmarks.Models;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Benchmarks.Replay;

/// <summary>A request of one or several rows, kept so that it can be executed again.</summary>
internal sealed class Question
{
    private readonly IReadOnlyList<TensorSpec> _inputs;

    public Question(IReadOnlyList<TensorSpec> inputs, int rows, Random random)
    {
        _inputs = inputs;
        Rows = rows;
        Data = [.. inputs.Select(spec => Enumerable.Range(0, rows).SelectMany(_ => RowSet.Values(spec, random)).ToArray())];
        Digest = RowSet.DigestOf(inputs, Data, rows);
    }

    public int Rows { get; }

    /// <summary>Bytes by input.</summary>
    public byte[][] Data { get; }

    public Hash256 Digest { get; }

    public InferenceRequest Request(string model)
    {
        var request = new InferenceRequest(model);
        for (var i = 0; i < _inputs.Count; i++) request.Add(_inputs[i].Name, _inputs[i].Type, RowSet.Shape(_inputs[i], Rows), Data[i]);
        return request;
    }
}
