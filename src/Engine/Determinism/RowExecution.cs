using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Serving;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Determinism;

/// <summary>
/// Executes the rows of one request again, at a given slot of a batch of a given size, among dummy neighbours, laid out and
/// aligned as the engine lays out its batches. Owns an executor and buffers of a model that it does not own; dispose it
/// before the model. Used by one thread at a time, except <see cref="Terminate"/>.
/// </summary>
public sealed unsafe class RowExecution : IDisposable
{
    // Floats this much larger than the usual ones move every scale that is taken over a whole batch.
    private const double ExtremeScale = 1000;

    private readonly IBackendModel _model;
    private readonly IBackendExecutor _executor;
    private readonly ExecutionBuffers _buffers;
    private readonly ModelShape _shape;
    private readonly BatchLayout _layout;
    private readonly long[][] _outputShapes;
    private int _firstSlot;
    private int _rows;

    public RowExecution(IBackendModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        _model = model;
        _shape = new ModelShape(model.Inputs, model.Outputs);
        _layout = new BatchLayout(_shape);
        _buffers = new ExecutionBuffers(model.Inputs, model.Outputs);
        _outputShapes = [.. model.Outputs.Select(spec => new long[spec.Rank])];
        _executor = model.CreateExecutor();
    }

    /// <summary>Whether the model's inputs have rows; otherwise a batch is one request, with one row at slot 0.</summary>
    public bool HasRows => _shape.HasRows;

    /// <summary>Whether the outputs of the last call were divided by rows. If not, they are those of the whole batch, and only zero neighbours reproduce a padded call.</summary>
    public bool IsSliced { get; private set; }

    /// <summary>
    /// Executes; null for success, and then <see cref="OutputShape"/> and <see cref="OutputBytes"/> hold the request's outputs
    /// until the next call.
    /// </summary>
    /// <param name="inputs">By the model's input position.</param>
    /// <param name="rows">The request's rows, 1 for a model without rows.</param>
    /// <param name="batchRows">Rows of the whole call, padding included, as the receipt states them.</param>
    /// <param name="firstSlot">The request's first row within the call.</param>
    /// <exception cref="ArgumentException">The inputs do not fit the model's declaration, the rows or the batch; the message says which.</exception>
    public BackendFault? Execute(ReadOnlySpan<RowTensor> inputs, int rows, int batchRows, int firstSlot, Neighbours neighbours)
    {
        Check(inputs, rows, batchRows, firstSlot);
        _layout.SetRows(_buffers, batchRows);
        for (var i = 0; i < inputs.Length; i++)
        {
            _layout.SetShape(_buffers, i, inputs[i].Shape.Span);
            Place(i, inputs[i].Data.Span, rows, firstSlot, neighbours);
        }

        if (Call() is { } fault) return fault;
        _firstSlot = firstSlot;
        _rows = rows;
        IsSliced = _layout.OutputsFollowRows(_buffers);
        for (var i = 0; i < _outputShapes.Length; i++)
        {
            var shape = _buffers.OutputShapes[i];
            if (_outputShapes[i].Length != shape.Length) _outputShapes[i] = new long[shape.Length];
            shape.CopyTo(_outputShapes[i], 0);
            if (IsSliced) _outputShapes[i][0] = rows;
        }

        return null;
    }

    private BackendFault? Call()
    {
        try
        {
            return _executor.Execute(_buffers) ?? OutputCheck.Find(_model.Outputs, _buffers);
        }
        catch (Exception error)
        {
            // A backend that throws has failed; what it throws says no more about the model than a fault does.
            return Failures.FaultOf(error);
        }
    }

    /// <summary>Number of the model's outputs.</summary>
    public int OutputCount => _model.Outputs.Count;

    /// <summary>The declared type of an output.</summary>
    public ElementType OutputType(int index) => _model.Outputs[index].Type;

    /// <summary>Dimensions of an output of the last successful call; the first is the request's rows.</summary>
    public ReadOnlySpan<long> OutputShape(int index) => _outputShapes[index];

    /// <summary>The request's bytes of an output of the last successful call.</summary>
    public ReadOnlySpan<byte> OutputBytes(int index)
    {
        var (start, length) = BatchLayout.Slice(_buffers, index, _firstSlot, _rows, IsSliced);
        return new ReadOnlySpan<byte>((byte*)_buffers.OutputData[index] + start, checked((int)length));
    }

    /// <summary>Asks a running call to stop. Safe from any thread; holds until <see cref="ClearTermination"/>.</summary>
    public void Terminate() => _executor.Terminate();

    /// <summary>Takes a termination back before the next call.</summary>
    public void ClearTermination() => _executor.ClearTermination();

    public void Dispose()
    {
        _executor.Dispose();
        _buffers.Dispose();
    }

    private void Place(int input, ReadOnlySpan<byte> data, int rows, int firstSlot, Neighbours neighbours)
    {
        var batch = new Span<byte>(_buffers.Input(input), checked((int)_layout.ByteCount(_buffers, input)));
        var start = data.Length / rows * firstSlot;
        Surround(batch[..start], input, data, rows, neighbours, before: true);
        data.CopyTo(batch[start..]);
        Surround(batch[(start + data.Length)..], input, data, rows, neighbours, before: false);
    }

    private void Surround(Span<byte> slots, int input, ReadOnlySpan<byte> data, int rows, Neighbours neighbours, bool before)
    {
        switch (neighbours.Kind)
        {
            case NeighbourKind.Zero:
                slots.Clear();
                break;
            case NeighbourKind.Copies:
                var row = data[..(data.Length / rows)];
                for (; slots.Length > 0; slots = slots[row.Length..]) row.CopyTo(slots);
                break;
            default:
                // Each side of each input draws from its own sequence.
                var random = new RandomBits(neighbours.Seed ^ ((ulong)input << 33) ^ (before ? 1ul << 32 : 0));
                var scale = neighbours.Kind == NeighbourKind.Extreme ? ExtremeScale : 1;
                RandomTensor.Fill(slots, _model.Inputs[input].Type, ref random, scale, lowest: 0, count: 2);
                break;
        }
    }

    private void Check(ReadOnlySpan<RowTensor> inputs, int rows, int batchRows, int firstSlot)
    {
        if (inputs.Length != _model.Inputs.Count) throw new ArgumentException($"{inputs.Length} inputs given, the model takes {_model.Inputs.Count}", nameof(inputs));
        if (rows < 1 || firstSlot < 0 || batchRows < 1 || (long)firstSlot + rows > batchRows)
            throw new ArgumentException($"{rows} rows do not stand at slot {firstSlot} of a batch of {batchRows}", nameof(batchRows));
        if (!HasRows && batchRows != 1) throw new ArgumentException($"the model has no rows, so a batch of {batchRows} is none of its batches", nameof(batchRows));
        for (var i = 0; i < inputs.Length; i++) Check(_model.Inputs[i], inputs[i], rows);
    }

    private void Check(TensorSpec spec, RowTensor input, int rows)
    {
        var shape = input.Shape.Span;
        var fits = shape.Length == spec.Rank;
        long bytes = ElementTypes.SizeOf(spec.Type);
        for (var i = 0; fits && i < shape.Length; i++)
        {
            fits = shape[i] >= 1 && (spec.Dimensions[i] < 0 || shape[i] == spec.Dimensions[i]);
            if (fits) bytes = checked(bytes * shape[i]);
        }

        if (!fits || (HasRows && shape[0] != rows))
            throw new ArgumentException($"input '{spec.Name}' has shape [{string.Join(',', shape.ToArray())}], the model takes [{string.Join(',', spec.Dimensions.ToArray())}] with {rows} rows");
        if (bytes != input.Data.Length) throw new ArgumentException($"input '{spec.Name}' has {input.Data.Length} bytes, its shape takes {bytes}");
    }
}
