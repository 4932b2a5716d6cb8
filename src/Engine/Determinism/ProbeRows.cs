using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Determinism;

/// <summary>
/// Random rows of one inner shape that a model accepts, and batches made of them. Rows differ in scale, so that what is taken
/// over a whole batch (a quantization scale, a maximum) changes with the company a row is in.
/// </summary>
internal sealed class ProbeRows
{
    // Rows beyond these find nothing that other slots and batch sizes do not.
    public const int Count = 16;

    // Every fourth row a thousand times as large, another a thousandth: what a batch-wide scale reacts to.
    private static readonly double[] Scales = [1, 1, 1000, 0.001];

    // What a model takes is not declared: tokens have a vocabulary, masks and types are 0 or 1, some divide by what they get.
    private static readonly (int Lowest, int Count)[] Bases = [(0, 2), (0, 1), (1, 1), (1, 2)];
    private static readonly int[] Wider = [1000, 100, 10];

    // Larger batches are not probed: they would cost more memory than the serving path itself may hold.
    private const long MaxBatchBytes = 256L << 20;

    private readonly IReadOnlyList<TensorSpec> _inputs;
    private readonly ProbeClock _clock;
    private readonly bool _hasRows;
    private readonly long[][] _shapes;
    private readonly int[] _rowBytes;
    private readonly int[] _widths;
    private readonly byte[][] _rows;
    private readonly byte[][] _batch;
    private readonly RowTensor[] _tensors;
    private (int Lowest, int Count) _base;

    private ProbeRows(IReadOnlyList<TensorSpec> inputs, bool hasRows, ProbeClock clock, int innerSize)
    {
        _inputs = inputs;
        _clock = clock;
        _hasRows = hasRows;
        InnerSize = innerSize;
        _shapes = [.. inputs.Select(spec => spec.Dimensions.ToArray().Select(size => size < 0 ? innerSize : size).ToArray())];
        if (hasRows) foreach (var shape in _shapes) shape[0] = 1;
        _rowBytes = [.. inputs.Select((spec, i) => checked((int)(_shapes[i].Aggregate(1L, (product, size) => checked(product * size)) * ElementTypes.SizeOf(spec.Type))))];
        _widths = new int[inputs.Count];
        _rows = [.. _rowBytes.Select(bytes => new byte[checked(bytes * Count)])];
        _batch = new byte[inputs.Count][];
        Array.Fill(_batch, []);
        _tensors = new RowTensor[inputs.Count];
    }

    /// <summary>The size given to open inner dimensions.</summary>
    public int InnerSize { get; }

    /// <summary>Rows that fit a batch of this inner shape.</summary>
    public int MostRows => (int)Math.Min(int.MaxValue, MaxBatchBytes / Math.Max(1, _rowBytes.Max()));

    /// <summary>Rows that the model accepts, or null and the fault with which it refused the last attempt.</summary>
    public static ProbeRows? TryMake(IReadOnlyList<TensorSpec> inputs, bool hasRows, RowExecution execution, ProbeClock clock, int innerSize, out BackendFault? refusal)
    {
        refusal = null;
        var rows = new ProbeRows(inputs, hasRows, clock, innerSize);
        foreach (var range in Bases)
        {
            rows._base = range;
            Array.Fill(rows._widths, range.Count);
            rows.Fill(0);
            refusal = rows.Execute([0], 1);
            if (clock.IsStopped) return null;
            if (refusal is null)
            {
                rows.Widen(execution);
                for (var row = 0; row < Count; row++) rows.Fill(row);
                return clock.IsStopped ? null : rows;
            }

            // Floats have no range to search.
            if (inputs.All(spec => IsFloat(spec.Type))) return null;
        }

        return null;
    }

    /// <summary>Executes a batch of these rows by their numbers, −1 for a row of zeros, followed by zeros up to <paramref name="batchRows"/>.</summary>
    public BackendFault? Execute(ReadOnlySpan<int> numbers, int batchRows)
    {
        for (var i = 0; i < _inputs.Count; i++)
        {
            var size = _rowBytes[i];
            if (_batch[i].Length < numbers.Length * size) _batch[i] = new byte[numbers.Length * size];
            for (var slot = 0; slot < numbers.Length; slot++)
            {
                var target = _batch[i].AsSpan(slot * size, size);
                if (numbers[slot] < 0) target.Clear();
                else _rows[i].AsSpan(numbers[slot] * size, size).CopyTo(target);
            }

            _tensors[i] = Tensor(i, numbers.Length, _batch[i].AsMemory(0, numbers.Length * size));
        }

        return _clock.Execute(_tensors, numbers.Length, batchRows, 0, Neighbours.Zero);
    }

    /// <summary>Executes one row at a slot among dummy neighbours, as a replay does.</summary>
    public BackendFault? ExecuteAmong(int number, int batchRows, int slot, Neighbours neighbours)
    {
        for (var i = 0; i < _inputs.Count; i++) _tensors[i] = Tensor(i, 1, _rows[i].AsMemory(number * _rowBytes[i], _rowBytes[i]));
        return _clock.Execute(_tensors, 1, batchRows, slot, neighbours);
    }

    /// <summary>Puts the first row, which the model took, in the place of one that it refuses, by chance past its vocabulary for example.</summary>
    public void Replace(int number)
    {
        for (var i = 0; i < _inputs.Count; i++) _rows[i].AsSpan(0, _rowBytes[i]).CopyTo(_rows[i].AsSpan(number * _rowBytes[i]));
    }

    private RowTensor Tensor(int input, int rows, ReadOnlyMemory<byte> data)
    {
        if (_hasRows) _shapes[input][0] = rows;
        return new RowTensor(_shapes[input], data);
    }

    private static bool IsFloat(ElementType type) => type is ElementType.Float16 or ElementType.Float32 or ElementType.Float64;

    /// <summary>Finds for each integer input how large its values may be, so that embeddings are probed with more than two of their rows.</summary>
    private void Widen(RowExecution execution)
    {
        var finite = FiniteOutputs(execution);
        for (var i = 0; i < _inputs.Count; i++)
        {
            if (IsFloat(_inputs[i].Type) || _inputs[i].Type == ElementType.Bool) continue;
            foreach (var width in Wider)
            {
                _widths[i] = ElementTypes.SizeOf(_inputs[i].Type) == 1 ? Math.Min(width, sbyte.MaxValue) : width;
                Fill(0);
                // A mask of a thousand may be taken, but where it makes the answer NaN nothing can be seen any more.
                if (Execute([0], 1) is null && FiniteOutputs(execution) >= finite) break;
                _widths[i] = _base.Count;
            }
        }
    }

    private void Fill(int row)
    {
        for (var i = 0; i < _inputs.Count; i++)
        {
            var random = new RandomBits(((ulong)InnerSize << 40) + ((ulong)i << 20) + (ulong)row + 1);
            // Every second row stays in the narrow range: where wide masks blunt the model, these still see.
            var width = row % 2 == 0 ? _widths[i] : _base.Count;
            RandomTensor.Fill(_rows[i].AsSpan(row * _rowBytes[i], _rowBytes[i]), _inputs[i].Type, ref random, Scales[row % Scales.Length], _base.Lowest, width);
        }
    }

    private static int FiniteOutputs(RowExecution execution)
    {
        var finite = 0;
        for (var i = 0; i < execution.OutputCount; i++)
            if (FiniteCheck.AllFinite(execution.OutputType(i), execution.OutputBytes(i))) finite++;
        return finite;
    }
}
