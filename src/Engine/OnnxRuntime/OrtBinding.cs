using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>
/// Prebuilt tensors over a worker's buffers for one shape: what a call needs, so that the call itself creates nothing.
/// Owns its values. An output whose size is only known at run time stays null, and ONNX Runtime allocates it.
/// </summary>
internal sealed unsafe class OrtBinding : IDisposable
{
    private readonly OrtApi _api;
    private readonly long[][] _inputShapes;
    private readonly nint[] _values;
    private readonly long[][] _outputShapes;
    private readonly long[] _outputBytes;

    public OrtBinding(OrtModel model, ExecutionBuffers buffers)
    {
        _api = model.Library.Api;
        Generation = buffers.Generation;
        _inputShapes = [.. buffers.InputShapes.Select(shape => (long[])shape.Clone())];
        _outputShapes = [.. model.Outputs.Select(spec => KnownShape(model, spec, buffers.Rows))];
        _outputBytes = new long[model.Outputs.Count];
        _values = new nint[model.Inputs.Count + model.Outputs.Count];
        try
        {
            Fill(model, buffers);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The buffers' generation that the values point into.</summary>
    public int Generation { get; }

    /// <summary>Inputs before outputs; 0 for an output that ONNX Runtime allocates.</summary>
    public ReadOnlySpan<nint> Values => _values;

    /// <summary>The shape of an output that is known before the call, otherwise empty.</summary>
    public ReadOnlySpan<long> OutputShape(int index) => _outputShapes[index];

    public long OutputBytes(int index) => _outputBytes[index];

    public bool Fits(ExecutionBuffers buffers)
    {
        if (Generation != buffers.Generation || _values[0] == 0) return false;
        for (var i = 0; i < _inputShapes.Length; i++)
            if (!_inputShapes[i].AsSpan().SequenceEqual(buffers.InputShapes[i])) return false;
        return true;
    }

    public void Dispose()
    {
        for (var i = 0; i < _values.Length; i++)
        {
            if (_values[i] != 0) _api.ReleaseValue(_values[i]);
            _values[i] = 0;
        }
    }

    /// <summary>The bytes an output takes for a number of rows, −1 when only the run will tell.</summary>
    public static long KnownBytes(OrtModel model, int output, int rows)
    {
        var shape = KnownShape(model, model.Outputs[output], rows);
        return shape.Length == 0 ? -1 : Bytes(model.Outputs[output], shape);
    }

    // An open first dimension is the batch's only when it bears the batch's name; a scalar's few bytes the runtime allocates.
    private static long[] KnownShape(OrtModel model, TensorSpec spec, int rows)
    {
        if (spec.Rank == 0 || spec.StaticRowElements < 0) return [];
        if (spec.HasOpenFirst && (spec.Symbols[0] is null || spec.Symbols[0] != model.RowSymbol)) return [];
        var shape = spec.Dimensions.ToArray();
        if (shape[0] < 0) shape[0] = rows;
        return shape;
    }

    private void Fill(OrtModel model, ExecutionBuffers buffers)
    {
        var inputs = model.Inputs.Count;
        for (var i = 0; i < inputs; i++) _values[i] = Create(model, model.Inputs[i], buffers.Input(i), _inputShapes[i]);
        for (var i = 0; i < model.Outputs.Count; i++)
        {
            if (_outputShapes[i].Length == 0) continue;
            _outputBytes[i] = Bytes(model.Outputs[i], _outputShapes[i]);
            _values[inputs + i] = Create(model, model.Outputs[i], buffers.Output(i), _outputShapes[i]);
        }
    }

    private static long Bytes(TensorSpec spec, long[] shape)
    {
        long elements = ElementTypes.SizeOf(spec.Type);
        foreach (var dimension in shape) elements = checked(elements * dimension);
        return elements;
    }

    private static nint Create(OrtModel model, TensorSpec spec, byte* data, long[] shape)
    {
        nint value;
        fixed (long* dimensions = shape)
        {
            var status = model.Library.Api.CreateTensorWithDataAsOrtValue(
                model.Library.MemoryInfo, data, (nuint)Bytes(spec, shape), dimensions, (nuint)shape.Length, (int)spec.Type, &value);
            OrtStatus.Check(model.Library.Api, status, $"bind '{spec.Name}'");
        }

        return value;
    }
}
