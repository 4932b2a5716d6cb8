using System.Runtime.InteropServices;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Native;
using OpenGradient.Engine.Tensors;
using OpenGradient.Engine.Torch.Interop;

namespace OpenGradient.Engine.Torch;

/// <summary>
/// One worker's way into the module: a session, and the tensors of a call, made once. Inputs are read where they lie; outputs
/// are lent by the session until its next run. Used by one thread at a time, except <see cref="Terminate"/>.
/// </summary>
internal sealed unsafe class TorchExecutor : IBackendExecutor
{
    private readonly TorchModel _model;
    private readonly TorchFunctions _functions;
    private readonly NativeHandle _session;
    private readonly int _inputs;
    private readonly int _outputs;

    // Inputs, then outputs; native, so that the library's view of them does not move.
    private NativeTensor* _tensors;

    /// <param name="session">Owned.</param>
    public TorchExecutor(TorchModel model, NativeHandle session)
    {
        _model = model;
        _functions = model.Library.Functions;
        _session = session;
        (_inputs, _outputs) = (model.Inputs.Count, model.Outputs.Count);
        _tensors = (NativeTensor*)NativeMemory.AllocZeroed((nuint)(_inputs + _outputs), (nuint)sizeof(NativeTensor));
        for (var i = 0; i < _inputs; i++)
        {
            _tensors[i].Type = (uint)model.Inputs[i].Type;
            _tensors[i].Rank = (uint)model.Inputs[i].Rank;
        }
    }

    public BackendFault? Execute(ExecutionBuffers buffers)
    {
        ObjectDisposedException.ThrowIf(_session.IsClosed, this);
        for (var i = 0; i < _inputs; i++) Place(buffers, i);
        // Null asks to lend; the last call has left its own addresses there.
        for (var i = _inputs; i < _inputs + _outputs; i++)
        {
            _tensors[i].Data = null;
            _tensors[i].Capacity = 0;
        }

        NativeError error;
        using var loan = _session.Borrow();
        var status = _functions.Run(loan.Value, _tensors, (uint)_inputs, _tensors + _inputs, (uint)_outputs, &error);
        return status == (int)TorchStatus.Ok ? Publish(buffers) : new BackendFault(TorchCheck.NameOf(status), NativeError.Describe(error)) { Kind = TorchCheck.KindOf(status) };
    }

    public void Terminate() => Signal(_functions.SessionTerminate, "terminate");

    public void ClearTermination() => Signal(_functions.SessionResume, "clear termination");

    public void Dispose()
    {
        _session.Dispose();
        NativeMemory.Free(_tensors);
        _tensors = null;
        GC.SuppressFinalize(this);
    }

    ~TorchExecutor() => NativeMemory.Free(_tensors);

    private void Place(ExecutionBuffers buffers, int index)
    {
        ref var tensor = ref _tensors[index];
        var shape = buffers.InputShapes[index];
        long bytes = ElementTypes.SizeOf(_model.Inputs[index].Type);
        for (var i = 0; i < shape.Length; i++)
        {
            tensor.Shape[i] = shape[i];
            bytes *= shape[i];
        }

        tensor.Data = buffers.Input(index);
        tensor.Bytes = (ulong)bytes;
        tensor.Capacity = (ulong)bytes;
    }

    private BackendFault? Publish(ExecutionBuffers buffers)
    {
        for (var i = 0; i < _outputs; i++)
        {
            ref var tensor = ref _tensors[_inputs + i];
            var spec = _model.Outputs[i];
            if (tensor.Type != (uint)spec.Type) return new BackendFault("OutputType", $"output '{spec.Name}' is of type {tensor.Type}");
            if (tensor.Rank > TorchLimits.MaxRank) return new BackendFault("OutputRank", $"output '{spec.Name}' has rank {tensor.Rank}");
            if (buffers.OutputShapes[i].Length != (int)tensor.Rank) buffers.OutputShapes[i] = new long[(int)tensor.Rank];
            fixed (long* shape = tensor.Shape) new ReadOnlySpan<long>(shape, (int)tensor.Rank).CopyTo(buffers.OutputShapes[i]);
            buffers.OutputData[i] = (nint)tensor.Data;
            buffers.OutputBytes[i] = (long)tensor.Bytes;
        }

        return null;
    }

    private void Signal(delegate* unmanaged[Cdecl]<nint, int> function, string step)
    {
        using var loan = _session.Borrow();
        TorchCheck.Check(function(loan.Value), default, step);
    }
}
