using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Determinism;

/// <summary>
/// How requests lie in a batch: shapes, where rows start, what padding holds, which part of an output is whose. The serving
/// path and re-execution share it, so that a row executed again lies exactly as it lay when it was answered. Stateless.
/// </summary>
internal sealed unsafe class BatchLayout(ModelShape shape)
{
    /// <summary>Sets the number of rows that the call executes, padding included; 1 where the model has none.</summary>
    public void SetRows(ExecutionBuffers buffers, int batchRows) => buffers.Rows = shape.HasRows ? batchRows : 1;

    /// <summary>Sets an input's dimensions for the batch's rows, and makes room for them.</summary>
    /// <param name="dimensions">Of one request, or the declared ones where the inner ones are fixed; the first is replaced.</param>
    public void SetShape(ExecutionBuffers buffers, int input, ReadOnlySpan<long> dimensions)
    {
        var target = buffers.InputShapes[input].AsSpan();
        dimensions.CopyTo(target);
        if (shape.HasRows) target[0] = buffers.Rows;
        buffers.ReserveInput(input, ByteCount(buffers, input));
    }

    /// <summary>Bytes of an input's whole batch.</summary>
    public long ByteCount(ExecutionBuffers buffers, int input)
    {
        long bytes = ElementTypes.SizeOf(shape.Inputs[input].Type);
        foreach (var dimension in buffers.InputShapes[input]) bytes = checked(bytes * dimension);
        return bytes;
    }

    /// <summary>Zeroes an input from an address to the end of the batch.</summary>
    public void Pad(ExecutionBuffers buffers, int input, byte* end)
    {
        var used = end - buffers.Input(input);
        new Span<byte>(end, checked((int)(ByteCount(buffers, input) - used))).Clear();
    }

    /// <summary>Whether every output of the call has the batch's rows as its first dimension, so that requests can be told apart.</summary>
    public bool OutputsFollowRows(ExecutionBuffers buffers)
    {
        if (!shape.OutputsFollowRows) return false;
        foreach (var output in buffers.OutputShapes)
            if (output.Length == 0 || output[0] != buffers.Rows) return false;
        return true;
    }

    /// <summary>A row whose answer grows with the batch (similarities to all other rows, say) would show a caller its neighbours.</summary>
    public static bool HaveInnerShapes(ExecutionBuffers buffers, long[][] others)
    {
        for (var i = 0; i < others.Length; i++)
            if (!buffers.OutputShapes[i].AsSpan(1).SequenceEqual(others[i].AsSpan(1))) return false;
        return true;
    }

    /// <summary>A request's part of an output in bytes: its rows, or everything where outputs do not follow rows.</summary>
    public static (long Start, long Length) Slice(ExecutionBuffers buffers, int output, int firstSlot, int rows, bool sliced)
    {
        var bytes = buffers.OutputBytes[output];
        if (!sliced) return (0, bytes);
        var row = bytes / buffers.Rows;
        return (row * firstSlot, row * rows);
    }
}
