using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>
/// One worker's way into the session: run options, prebuilt tensors per shape, and the outputs ONNX Runtime allocated for the
/// last call. Used by one thread at a time, except <see cref="Terminate"/>.
/// </summary>
internal sealed unsafe class OrtExecutor : IBackendExecutor
{
    // Above this many rows the tensors' creation (0.1 µs each) is nothing beside the call.
    private const int MaxRowBindings = 1024;

    // Shapes of models with open inner dimensions; the oldest goes when one more comes.
    private const int MaxShapeBindings = 32;

    private readonly OrtModel _model;
    private readonly OrtApi _api;
    private readonly OrtHandle _runOptions;
    private readonly bool _staticRows;
    private readonly OrtBinding?[] _byRows;
    private readonly OrtBinding?[] _byShape = new OrtBinding?[MaxShapeBindings];
    private readonly nint[] _allocated;
    private int _next;

    public OrtExecutor(OrtModel model)
    {
        _model = model;
        _api = model.Library.Api;
        nint options;
        OrtStatus.Check(_api, _api.CreateRunOptions(&options), "create run options");
        _runOptions = new OrtHandle(options, _api.ReleaseRunOptions);
        _staticRows = model.Inputs.All(spec => spec.StaticRowElements >= 0);
        _byRows = new OrtBinding?[_staticRows ? MaxRowBindings + 1 : 0];
        _allocated = new nint[model.Outputs.Count];
    }

    public BackendFault? Execute(ExecutionBuffers buffers)
    {
        ReleaseAllocated();
        var binding = BindingFor(buffers);
        int inputs = _model.Inputs.Count, outputs = _model.Outputs.Count;
        var results = stackalloc nint[outputs];
        binding.Values[inputs..].CopyTo(new Span<nint>(results, outputs));
        nint status;
        fixed (nint* names = _model.NativeNames)
        fixed (nint* values = binding.Values)
            status = _api.Run(_model.Session, _runOptions.Value, (byte**)names, values, (nuint)inputs, (byte**)(names + inputs), (nuint)outputs, results);
        KeepAllocated(binding, results, inputs);
        return OrtStatus.Take(_api, status) is { } error
            ? new BackendFault(error.Code.ToString(), error.Message)
            : Publish(binding, buffers);
    }

    public void Terminate() => OrtStatus.Check(_api, _api.RunOptionsSetTerminate(_runOptions.Value), "terminate");

    public void ClearTermination() => OrtStatus.Check(_api, _api.RunOptionsUnsetTerminate(_runOptions.Value), "clear termination");

    public void Dispose()
    {
        ReleaseAllocated();
        foreach (var binding in _byRows.Concat(_byShape)) binding?.Dispose();
        _runOptions.Dispose();
    }

    private OrtBinding BindingFor(ExecutionBuffers buffers)
    {
        if (!_staticRows || buffers.Rows > MaxRowBindings) return ByShape(buffers);
        var binding = _byRows[buffers.Rows];
        return binding is not null && binding.Fits(buffers) ? binding : _byRows[buffers.Rows] = Rebuild(binding, buffers);
    }

    private OrtBinding ByShape(ExecutionBuffers buffers)
    {
        foreach (var binding in _byShape)
            if (binding is not null && binding.Fits(buffers)) return binding;
        _next = (_next + 1) % _byShape.Length;
        return _byShape[_next] = Rebuild(_byShape[_next], buffers);
    }

    private OrtBinding Rebuild(OrtBinding? stale, ExecutionBuffers buffers)
    {
        stale?.Dispose();
        for (var i = 0; i < _model.Outputs.Count; i++)
        {
            var bytes = OrtBinding.KnownBytes(_model, i, buffers.Rows);
            if (bytes >= 0) buffers.ReserveOutput(i, bytes);
        }

        return new OrtBinding(_model, buffers);
    }

    /// <summary>Takes ownership of outputs that the call allocated, also of those of a call that failed half-way.</summary>
    private void KeepAllocated(OrtBinding binding, nint* results, int inputs)
    {
        for (var i = 0; i < _allocated.Length; i++)
            if (binding.Values[inputs + i] == 0) _allocated[i] = results[i];
    }

    private void ReleaseAllocated()
    {
        for (var i = 0; i < _allocated.Length; i++)
        {
            if (_allocated[i] != 0) _api.ReleaseValue(_allocated[i]);
            _allocated[i] = 0;
        }
    }

    private BackendFault? Publish(OrtBinding binding, ExecutionBuffers buffers)
    {
        for (var i = 0; i < _allocated.Length; i++)
        {
            var known = binding.OutputShape(i);
            if (known.Length == 0)
            {
                if (PublishAllocated(i, buffers) is { } fault) return fault;
                continue;
            }

            known.CopyTo(buffers.OutputShapes[i]);
            buffers.OutputData[i] = (nint)buffers.Output(i);
            buffers.OutputBytes[i] = binding.OutputBytes(i);
        }

        return null;
    }

    private BackendFault? PublishAllocated(int index, ExecutionBuffers buffers)
    {
        var spec = _model.Outputs[index];
        if (_allocated[index] == 0) return new BackendFault("NoOutput", $"output '{spec.Name}' was not produced");
        nint raw;
        OrtStatus.Check(_api, _api.GetTensorTypeAndShape(_allocated[index], &raw), "read output shape");
        using var info = new OrtHandle(raw, _api.ReleaseTensorTypeAndShapeInfo);
        nuint rank;
        int type;
        OrtStatus.Check(_api, _api.GetDimensionsCount(raw, &rank), "read output rank");
        OrtStatus.Check(_api, _api.GetTensorElementType(raw, &type), "read output type");
        if ((ElementType)type != spec.Type) return new BackendFault("OutputType", $"output '{spec.Name}' is of type {type}");
        if (buffers.OutputShapes[index].Length != (int)rank) buffers.OutputShapes[index] = new long[(int)rank];
        fixed (long* shape = buffers.OutputShapes[index])
            OrtStatus.Check(_api, _api.GetDimensions(raw, shape, rank), "read output dimensions");
        long bytes = ElementTypes.SizeOf(spec.Type);
        foreach (var dimension in buffers.OutputShapes[index]) bytes *= dimension;
        void* data;
        OrtStatus.Check(_api, _api.GetTensorMutableData(_allocated[index], &data), "read output data");
        buffers.OutputBytes[index] = bytes;
        buffers.OutputData[index] = (nint)data;
        return null;
    }
}
