using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Backends;

/// <summary>
/// One worker's batch: input buffers it owns, and where the executor left the outputs. Used by the worker's thread only.
/// </summary>
public sealed unsafe class ExecutionBuffers : IDisposable
{
    private readonly NativeBuffer[] _inputs;
    private readonly NativeBuffer[] _outputs;

    public ExecutionBuffers(IReadOnlyList<TensorSpec> inputs, IReadOnlyList<TensorSpec> outputs)
    {
        _inputs = [.. inputs.Select(_ => new NativeBuffer())];
        _outputs = [.. outputs.Select(_ => new NativeBuffer())];
        InputShapes = [.. inputs.Select(spec => new long[spec.Rank])];
        OutputShapes = [.. outputs.Select(spec => new long[spec.Rank])];
        OutputData = new nint[outputs.Count];
        OutputBytes = new long[outputs.Count];
    }

    /// <summary>First dimension of the batch; 1 for a model whose inputs cannot be batched.</summary>
    public int Rows { get; set; }

    /// <summary>Dimensions by input. The arrays are rewritten in place for each batch.</summary>
    public long[][] InputShapes { get; }

    /// <summary>Dimensions by output, written by the executor.</summary>
    public long[][] OutputShapes { get; }

    /// <summary>Address of each output, written by the executor; valid until its next call.</summary>
    public nint[] OutputData { get; }

    /// <summary>Bytes of each output, written by the executor.</summary>
    public long[] OutputBytes { get; }

    /// <summary>Grows whenever a buffer moves: prebuilt tensors over older addresses are stale.</summary>
    public int Generation { get; private set; }

    public byte* Input(int index) => _inputs[index].Pointer;

    public byte* Output(int index) => _outputs[index].Pointer;

    public void ReserveInput(int index, long bytes) => Reserve(_inputs[index], bytes);

    /// <summary>Room for an output whose size is known before the call.</summary>
    public void ReserveOutput(int index, long bytes) => Reserve(_outputs[index], bytes);

    public void Dispose()
    {
        foreach (var buffer in _inputs) buffer.Dispose();
        foreach (var buffer in _outputs) buffer.Dispose();
    }

    private void Reserve(NativeBuffer buffer, long bytes)
    {
        var before = buffer.Pointer;
        buffer.Reserve(bytes);
        if (before != buffer.Pointer) Generation++;
    }
}
