using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Models;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Benchmarks.Models;

/// <summary>A model opened beside the engine: executes rows at a slot of a batch that this program fills. Used by one thread.</summary>
internal sealed unsafe class DirectRows : IDisposable
{
    private readonly IBackendModel _model;
    private readonly IBackendExecutor _executor;
    private readonly ExecutionBuffers _buffers;

    /// <param name="execution">Null for the default: one thread on the CPU.</param>
    public DirectRows(IModelBackend backend, string name, string path, ExecutionOptions? execution = null)
    {
        using var artifact = new ArtifactReader(backend).Read(new ModelOptions { Name = name, Path = path });
        _model = backend.Open(name, artifact, execution ?? new ExecutionOptions());
        _executor = _model.CreateExecutor();
        _buffers = new ExecutionBuffers(_model.Inputs, _model.Outputs);
    }

    public IReadOnlyList<TensorSpec> Inputs => _model.Inputs;

    public IReadOnlyList<TensorSpec> Outputs => _model.Outputs;

    public ExecutionBuffers Buffers => _buffers;

    /// <summary>Makes buffers for a batch of this size; contents are zeros or what was there.</summary>
    public void Prepare(int batch)
    {
        _buffers.Rows = batch;
        for (var i = 0; i < Inputs.Count; i++)
        {
            if (Inputs[i].StaticRowBytes < 0) throw new InvalidOperationException($"input '{Inputs[i].Name}' has open inner dimensions, which this benchmark does not drive");
            RowSet.Shape(Inputs[i], batch).CopyTo(_buffers.InputShapes[i], 0);
            _buffers.ReserveInput(i, Inputs[i].HasOpenFirst ? Inputs[i].StaticRowBytes * batch : Inputs[i].StaticRowBytes * Inputs[i].Dimensions[0]);
        }
    }

    /// <summary>Puts one row's bytes, by input, at a slot.</summary>
    public void Put(int slot, byte[][] row)
    {
        for (var i = 0; i < Inputs.Count; i++) row[i].CopyTo(new Span<byte>(_buffers.Input(i) + (slot * Inputs[i].StaticRowBytes), row[i].Length));
    }

    /// <summary>One backend call over what was put.</summary>
    /// <exception cref="InvalidOperationException">The backend refused.</exception>
    public void Execute()
    {
        if (_executor.Execute(_buffers) is { } fault) throw new InvalidOperationException($"the backend failed: {fault.Code}: {fault.Detail}");
    }

    /// <summary>The bytes of rows of an output that the last call left.</summary>
    public ReadOnlySpan<byte> Output(int output, int slot, int rows)
    {
        var row = _buffers.OutputBytes[output] / _buffers.Rows;
        return new ReadOnlySpan<byte>((byte*)_buffers.OutputData[output] + (row * slot), checked((int)(row * rows)));
    }

    /// <summary>The outputs of one row executed alone, one after the other in the model's order.</summary>
    public byte[] Alone(byte[][] row)
    {
        Prepare(1);
        Put(0, row);
        Execute();
        return Row(0);
    }

    /// <summary>The outputs of one slot that the last call left, one after the other in the model's order.</summary>
    public byte[] Row(int slot)
    {
        var bytes = new List<byte>();
        for (var i = 0; i < _model.Outputs.Count; i++) bytes.AddRange(Output(i, slot, 1));
        return [.. bytes];
    }

    public void Dispose()
    {
        _executor.Dispose();
        _buffers.Dispose();
        _model.Dispose();
    }
}
