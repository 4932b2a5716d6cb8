using System.Runtime.InteropServices;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Engine.Tests.Faults;

/// <summary>
/// A model y = x over int64 [batch,2] whose calls a test can spoil: <see cref="Call"/> sees the executed batch, may change what the
/// call left, answer with a fault, or throw. Counts what is made and given back.
/// </summary>
internal sealed class OddBackend : IModelBackend
{
    private int _models, _executors;

    /// <summary>Runs after the honest answer is in the buffers.</summary>
    public Func<ExecutionBuffers, BackendFault?>? Call { get; set; }

    public TensorSpec Output { get; init; } = new("y", ElementType.Int64, [-1, 2], ["batch", null]);

    /// <summary>Opened and not disposed.</summary>
    public int Models => Volatile.Read(ref _models);

    public int Executors => Volatile.Read(ref _executors);

    // The double reads no file, the loader does. Never inline: a test that holds a call would hold itself.
    public static ModelOptions Options { get; } = new() { Name = "odd", Path = TestFiles.Model("noop"), Workers = 2, RunInline = RunInline.Never, RecheckOneIn = 0 };

    public InferenceEngine Engine(IBatchSealer? sealer = null, ISealedBatchSink? sink = null) =>
        new(new InferenceEngineOptions { Backend = this, Sealer = sealer, Sink = sink });

    /// <summary>One row that no other request has.</summary>
    public static InferenceRequest Request(long first, long second) => new InferenceRequest("odd").Add<long>("x", [1, 2], new[] { first, second });

    public static unsafe ReadOnlySpan<long> Inputs(ExecutionBuffers buffers) => new(buffers.Input(0), buffers.Rows * 2);

    public IBackendModel Open(string modelName, ModelArtifact artifact, ExecutionOptions options)
    {
        Interlocked.Increment(ref _models);
        return new Model(this);
    }

    private sealed class Model(OddBackend backend) : IBackendModel
    {
        public IReadOnlyList<TensorSpec> Inputs { get; } = [new TensorSpec("x", ElementType.Int64, [-1, 2], ["batch", null])];

        public IReadOnlyList<TensorSpec> Outputs { get; } = [backend.Output];

        public RuntimeFingerprint Fingerprint { get; } = new("odd", "1", Hash256.Sha256([2]), "cpu", "any", "int64", "");

        public IBackendExecutor CreateExecutor()
        {
            Interlocked.Increment(ref backend._executors);
            return new Executor(backend);
        }

        public void Dispose() => Interlocked.Decrement(ref backend._models);
    }

    private sealed class Executor(OddBackend backend) : IBackendExecutor
    {
        public unsafe BackendFault? Execute(ExecutionBuffers buffers)
        {
            var x = OddBackend.Inputs(buffers);
            buffers.ReserveOutput(0, x.Length * 8);
            x.CopyTo(MemoryMarshal.Cast<byte, long>(new Span<byte>(buffers.Output(0), x.Length * 8)));
            buffers.OutputShapes[0] = [buffers.Rows, 2];
            buffers.OutputData[0] = (nint)buffers.Output(0);
            buffers.OutputBytes[0] = x.Length * 8;
            return backend.Call?.Invoke(buffers);
        }

        public void Terminate()
        {
        }

        public void ClearTermination()
        {
        }

        public void Dispose() => Interlocked.Decrement(ref backend._executors);
    }
}
