using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>
/// Tensors over its caller's memory, kept from call to call and replaced one by one. The memory stays the caller's: 64-byte
/// aligned (other alignments change bits), alive and unmoved until the tensor is replaced or this is disposed. An input and an
/// output may be the same memory where the model's operators allow it. Used by one thread at a time.
/// </summary>
public sealed unsafe class OrtCall : IDisposable
{
    private readonly OrtModel _model;
    private readonly OrtApi _api;
    private readonly TensorSpec[] _outputs;
    private readonly nint[] _inputNames;
    private readonly nint[] _outputNames;
    private readonly nint[] _inputValues;
    private readonly nint[] _outputValues;
    private bool _disposed;

    internal OrtCall(OrtModel model, IReadOnlyList<int> outputs)
    {
        ArgumentOutOfRangeException.ThrowIfZero(outputs.Count);
        _model = model;
        _api = model.Library.Api;
        _outputs = [.. outputs.Select(output => model.Outputs[output])];
        var inputs = model.Inputs.Count;
        _inputNames = model.NativeNames[..inputs].ToArray();
        var names = model.NativeNames[inputs..].ToArray();
        _outputNames = [.. outputs.Select(output => names[output])];
        _inputValues = new nint[inputs];
        _outputValues = new nint[outputs.Count];
    }

    /// <param name="input">Index into the session's inputs.</param>
    /// <param name="data">Row-major elements of the declared type.</param>
    /// <param name="shape">Every dimension, none negative.</param>
    public void SetInput(int input, byte* data, ReadOnlySpan<long> shape) => Replace(ref _inputValues[input], _model.Inputs[input], data, shape);

    /// <param name="output">Index into the outputs that this call asks for.</param>
    /// <param name="data">Room for the elements.</param>
    /// <param name="shape">Exactly what the model will produce; another shape makes <see cref="Run"/> fail.</param>
    public void SetOutput(int output, byte* data, ReadOnlySpan<long> shape) => Replace(ref _outputValues[output], _outputs[output], data, shape);

    /// <summary>Executes with the tensors as they are set.</summary>
    /// <exception cref="InvalidOperationException">A tensor was never set.</exception>
    /// <exception cref="OnnxRuntimeException">The library refused or failed; the text is for the operator.</exception>
    public void Run()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        // The library takes a null input for a missing one, and a null output for one to allocate, which nobody would release.
        if (_inputValues.Contains(0) || _outputValues.Contains(0)) throw new InvalidOperationException("a tensor of the call was not set");
        var session = _model.Session;
        nint status;
        fixed (nint* inputNames = _inputNames, outputNames = _outputNames, inputs = _inputValues, outputs = _outputValues)
            status = _api.Run(session, 0, (byte**)inputNames, inputs, (nuint)_inputValues.Length, (byte**)outputNames, (nuint)_outputValues.Length, outputs);
        OrtStatus.Check(_api, status, "run");
    }

    public void Dispose()
    {
        _disposed = true;
        Release(_inputValues);
        Release(_outputValues);
    }

    private void Replace(ref nint value, TensorSpec spec, byte* data, ReadOnlySpan<long> shape)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        // Null with a size takes the process down.
        ArgumentNullException.ThrowIfNull(data);
        long bytes = ElementTypes.SizeOf(spec.Type);
        foreach (var dimension in shape)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(dimension, nameof(shape));
            bytes = checked(bytes * dimension);
        }

        nint fresh;
        fixed (long* dimensions = shape)
        {
            OrtStatus.Check(
                _api, _api.CreateTensorWithDataAsOrtValue(_model.Library.MemoryInfo, data, (nuint)bytes, dimensions, (nuint)shape.Length, (int)spec.Type, &fresh),
                $"bind '{spec.Name}'");
        }

        if (value != 0) _api.ReleaseValue(value);
        value = fresh;
    }

    private void Release(nint[] values)
    {
        foreach (ref var value in values.AsSpan())
        {
            if (value != 0) _api.ReleaseValue(value);
            value = 0;
        }
    }
}
