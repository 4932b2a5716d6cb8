using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Serving;

/// <summary>
/// Shows an executed batch to the sealer where it lies: the worker's own buffers, request by request, tensors ordered by the
/// bytes of their names. Headers are built once per row count for fixed shapes. Used by the worker's thread only.
/// </summary>
internal sealed unsafe class BatchSealing : IDisposable
{
    private readonly ModelLane _lane;
    private readonly IBatchSealer _sealer;
    private readonly ISealedBatchSink? _sink;
    private readonly IExecutionTap? _tap;
    private readonly WorkerCounters _counters;
    private readonly TensorHeaders[] _inputs;
    private readonly TensorHeaders[] _outputs;
    private readonly int[] _inputOrder;
    private readonly int[] _outputOrder;
    private readonly NativeBuffer _rows = new();
    private readonly NativeBuffer _tensors = new();
    private readonly NativeBuffer _parameters = new();

    private IBatchSealer _ofBatch; // of the batch that is being executed

    public BatchSealing(ModelLane lane, IBatchSealer sealer, ISealedBatchSink? sink, WorkerCounters counters)
    {
        var info = lane.Info;
        _lane = lane;
        _sealer = _ofBatch = sealer;
        _sink = sink;
        _tap = lane.Services.Tap;
        _counters = counters;
        _inputs = [.. info.Inputs.Select(spec => new TensorHeaders(spec))];
        _outputs = [.. info.Outputs.Select(spec => new TensorHeaders(spec))];
        _inputOrder = OrderOf(info.Inputs);
        _outputOrder = OrderOf(info.Outputs);
        var requests = info.IsBatchable ? info.Options.MaxBatch : 1;
        _rows.Reserve((long)requests * sizeof(RowView));
        _tensors.Reserve((long)requests * (_inputs.Length + _outputs.Length) * sizeof(TensorView));
        _parameters.Reserve((long)requests * Hash256.Size);
    }

    /// <summary>A batch begins: it is sealed with the key of this moment.</summary>
    public void Begin() => _ofBatch = _sealer.ForBatch();

    /// <summary>Null when sealed; every request then has its batch and row index.</summary>
    /// <param name="sliced">Whether outputs are divided by rows; otherwise there is one request, and it gets them whole.</param>
    /// <param name="hasRows">Whether inputs are divided by rows.</param>
    public InferenceFailure? Seal(ReadOnlySpan<PendingRequest> requests, ExecutionBuffers buffers, bool sliced, bool hasRows)
    {
        SealedBatch batch;
        try
        {
            for (var i = 0; i < requests.Length; i++) View(i, requests[i], buffers, sliced, hasRows);
            batch = _ofBatch.Seal(new BatchToSeal
            {
                Context = _lane.EncodedContext,
                BatchRows = (uint)buffers.Rows,
                Rows = new ReadOnlySpan<RowView>(_rows.Pointer, requests.Length),
            });
            if (_tap is not null) Show(batch, requests.Length);
        }
        catch (Exception error)
        {
            // A SealingException, or anything else: either way there is no receipt, and so no answer.
            return Failures.Sealing(error);
        }
        finally
        {
            foreach (var headers in _inputs) headers.EndBatch();
            foreach (var headers in _outputs) headers.EndBatch();
        }

        var handedOver = TryHandOver(batch);
        if (!handedOver && _sink is not null) _counters.RefusedBySink++;
        for (var i = 0; i < requests.Length; i++)
        {
            requests[i].Batch = batch;
            requests[i].RowIndex = i;
            requests[i].IsHandedOver = handedOver;
        }

        return null;
    }

    public void Dispose()
    {
        foreach (var headers in _inputs) headers.Dispose();
        foreach (var headers in _outputs) headers.Dispose();
        _rows.Dispose();
        _tensors.Dispose();
        _parameters.Dispose();
    }

    /// <summary>Only rows whose class promises that they can be executed again: of others an audit can say nothing.</summary>
    private void Show(SealedBatch batch, int count)
    {
        if (_lane.Info.Context.Determinism is not (DeterminismClass.A or DeterminismClass.B)) return;
        try
        {
            _tap!.Sealed(batch, new ReadOnlySpan<RowView>(_rows.Pointer, count));
        }
        catch (Exception)
        {
            // Memory that ran out, say: an audit then finds nothing kept, and the answer is as good as without.
        }
    }

    private bool TryHandOver(SealedBatch batch)
    {
        try
        {
            return _sink?.TryAccept(batch) ?? false;
        }
        catch (Exception)
        {
            // The batch is signed: without a sink its receipts are promises that their holders can resubmit.
            return false;
        }
    }

    private void View(int index, PendingRequest request, ExecutionBuffers buffers, bool sliced, bool hasRows)
    {
        var tensors = (TensorView*)_tensors.Pointer + (index * (_inputs.Length + _outputs.Length));
        var parameters = _parameters.Pointer + (index * Hash256.Size);
        request.ParameterDigest.Bytes.CopyTo(new Span<byte>(parameters, Hash256.Size));
        ref var row = ref ((RowView*)_rows.Pointer)[index];
        row.Inputs = tensors;
        row.Outputs = tensors + _inputs.Length;
        row.InputCount = (uint)_inputs.Length;
        row.OutputCount = (uint)_outputs.Length;
        row.ParameterDigest = parameters;
        row.FirstSlot = (uint)request.FirstSlot;
        row.RowCount = (uint)request.Rows;

        foreach (var input in _inputOrder)
        {
            var length = request.Sources[input].Length;
            var start = hasRows ? (long)length / request.Rows * request.FirstSlot : 0;
            *tensors++ = _inputs[input].View(buffers.InputShapes[input], hasRows ? request.Rows : -1, buffers.Input(input) + start, length);
        }

        foreach (var output in _outputOrder)
        {
            var rowBytes = buffers.OutputBytes[output] / buffers.Rows;
            var data = (byte*)buffers.OutputData[output];
            *tensors++ = sliced
                ? _outputs[output].View(buffers.OutputShapes[output], request.Rows, data + (rowBytes * request.FirstSlot), rowBytes * request.Rows)
                : _outputs[output].View(buffers.OutputShapes[output], -1, data, buffers.OutputBytes[output]);
        }
    }

    private static int[] OrderOf(IReadOnlyList<TensorSpec> specs)
    {
        var order = Enumerable.Range(0, specs.Count).ToArray();
        var names = specs.Select(spec => System.Text.Encoding.UTF8.GetBytes(spec.Name)).ToArray();
        Array.Sort(order, (x, y) => names[x].AsSpan().SequenceCompareTo(names[y]));
        return order;
    }
}
