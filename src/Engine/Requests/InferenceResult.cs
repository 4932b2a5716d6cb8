using System.Runtime.InteropServices;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine;

/// <summary>
/// The outputs of one request, and its place in the sealed batch. A lease on pooled memory: dispose it once when the spans have
/// been read; every use after that throws. Copies of the struct are the same lease.
/// </summary>
public readonly struct InferenceResult : IDisposable, IEquatable<InferenceResult>
{
    private readonly PendingRequest? _source;
    private readonly int _lease;

    internal InferenceResult(PendingRequest source, int lease)
    {
        _source = source;
        _lease = lease;
    }

    /// <summary>The signed batch that this request was executed in, null when the engine has no sealer.</summary>
    public SealedBatch? Batch => Source.Batch;

    /// <summary>This request's receipt within <see cref="Batch"/>: <c>Batch.Receipt(RowIndex)</c>.</summary>
    public int RowIndex => Source.RowIndex;

    /// <summary>Whether the sink took the batch; false: the receipt is a signed promise that its holder can resubmit.</summary>
    public bool IsHandedOver => Source.IsHandedOver;

    /// <summary>First dimension of the executed batch, padding included.</summary>
    public int BatchRows => Source.BatchRows;

    /// <summary>The request's first row within the executed batch.</summary>
    public int FirstSlot => Source.FirstSlot;

    /// <summary>The model that answered.</summary>
    public ModelInfo Model => Source.Lane.Info;

    /// <summary>Outputs in the model's order.</summary>
    public IReadOnlyList<TensorSpec> Outputs => Source.Lane.Info.Outputs;

    /// <summary>The dimensions of an output; the first is this request's number of rows.</summary>
    public ReadOnlySpan<long> Shape(int output) => Source.OutputShape(output);

    /// <summary>The little-endian bytes of an output, valid until disposal.</summary>
    public ReadOnlySpan<byte> Bytes(int output) => Source.OutputBytes(output);

    /// <summary>The elements of an output, valid until disposal.</summary>
    /// <exception cref="InvalidOperationException"><typeparamref name="T"/> is not the output's element type.</exception>
    public ReadOnlySpan<T> Values<T>(int output) where T : unmanaged
    {
        var spec = Outputs[output];
        if (ElementTypes.Of<T>() != spec.Type) throw new InvalidOperationException($"output {spec} does not hold {typeof(T)}");
        return MemoryMarshal.Cast<byte, T>(Bytes(output));
    }

    /// <summary>The position of an output by its name, −1 when the model has none of that name.</summary>
    public int IndexOf(string name)
    {
        var outputs = Outputs;
        for (var i = 0; i < outputs.Count; i++)
            if (outputs[i].Name == name) return i;
        return -1;
    }

    /// <summary>Gives the memory back. Further calls do nothing.</summary>
    public void Dispose() => _source?.Release(_lease);

    public bool Equals(InferenceResult other) => ReferenceEquals(_source, other._source) && _lease == other._lease;

    public override bool Equals(object? obj) => obj is InferenceResult other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_source, _lease);

    public static bool operator ==(InferenceResult left, InferenceResult right) => left.Equals(right);

    public static bool operator !=(InferenceResult left, InferenceResult right) => !left.Equals(right);

    private PendingRequest Source
    {
        get
        {
            ObjectDisposedException.ThrowIf(_source is null || !_source.IsLeased(_lease), typeof(InferenceResult));
            return _source;
        }
    }
}

/// <summary>A result or a failure; exactly one of them.</summary>
public readonly struct InferenceOutcome : IEquatable<InferenceOutcome>
{
    private readonly InferenceResult _result;

    internal InferenceOutcome(InferenceResult result) => _result = result;

    internal InferenceOutcome(InferenceFailure failure) => Failure = failure;

    public bool IsSuccess => Failure is null;

    /// <summary>Null on success.</summary>
    public InferenceFailure? Failure { get; }

    /// <summary>The result, to be disposed by the caller.</summary>
    /// <exception cref="InferenceException">There is a failure instead.</exception>
    public InferenceResult Result => Failure is null ? _result : throw new InferenceException(Failure);

    public bool Equals(InferenceOutcome other) => _result == other._result && Failure == other.Failure;

    public override bool Equals(object? obj) => obj is InferenceOutcome other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_result, Failure);

    public static bool operator ==(InferenceOutcome left, InferenceOutcome right) => left.Equals(right);

    public static bool operator !=(InferenceOutcome left, InferenceOutcome right) => !left.Equals(right);
}
