using System.Runtime.InteropServices;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Engine.Tests;

/// <summary>
/// A model y = 2x over x float32 [batch,1] that can be held at its gate, and that refuses every batch holding the poison.
/// </summary>
internal sealed class FakeBackend : IModelBackend
{
    public const float Poison = -1;

    private readonly ManualResetEventSlim _gate = new(true);
    private int _calls;
    private int _largest;

    public int Calls => Volatile.Read(ref _calls);

    public int LargestBatch => Volatile.Read(ref _largest);

    public List<IBackendModel> Disposed { get; } = [];

    /// <summary>Calls that wait at the closed gate.</summary>
    public SemaphoreSlim Arrived { get; } = new(0);

    public bool OutputsIgnoreRows { get; init; }

    public void CloseGate() => _gate.Reset();

    public void OpenGate() => _gate.Set();

    public IBackendModel Open(string modelName, ModelArtifact artifact, ExecutionOptions options) => new Model(this);

    private sealed class Model(FakeBackend backend) : IBackendModel
    {
        public IReadOnlyList<TensorSpec> Inputs { get; } = [new TensorSpec("x", ElementType.Float32, [-1, 1], ["batch", null])];

        public IReadOnlyList<TensorSpec> Outputs { get; } = [new TensorSpec("y", ElementType.Float32, [-1, 1], [null, null])];

        public RuntimeFingerprint Fingerprint { get; } = new("fake", "1", Hash256.Sha256([1]), "cpu", "any", "fp32", "");

        public IBackendExecutor CreateExecutor() => new Executor(backend);

        public void Dispose()
        {
            lock (backend.Disposed) backend.Disposed.Add(this);
        }
    }

    private sealed class Executor(FakeBackend backend) : IBackendExecutor
    {
        private readonly ManualResetEventSlim _terminated = new(false);

        public unsafe BackendFault? Execute(ExecutionBuffers buffers)
        {
            Interlocked.Increment(ref backend._calls);
            if (!backend._gate.IsSet)
            {
                backend.Arrived.Release();
                WaitHandle.WaitAny([backend._gate.WaitHandle, _terminated.WaitHandle]);
            }

            if (_terminated.IsSet) return new BackendFault("Terminated", "asked to stop");
            InterlockedMax(ref backend._largest, buffers.Rows);
            var x = MemoryMarshal.Cast<byte, float>(new ReadOnlySpan<byte>(buffers.Input(0), buffers.Rows * 4));
            if (x.Contains(Poison)) return new BackendFault("Refused", "poison in /secret/path.cc:12");
            buffers.ReserveOutput(0, buffers.Rows * 4);
            var y = new Span<float>(buffers.Output(0), buffers.Rows);
            for (var i = 0; i < x.Length; i++) y[i] = 2 * x[i];
            var rows = backend.OutputsIgnoreRows ? 1 : buffers.Rows;
            buffers.OutputShapes[0] = [rows, 1];
            buffers.OutputData[0] = (nint)buffers.Output(0);
            buffers.OutputBytes[0] = rows * 4;
            return null;
        }

        public void Terminate() => _terminated.Set();

        public void ClearTermination() => _terminated.Reset();

        public void Dispose() => _terminated.Dispose();

        private static void InterlockedMax(ref int target, int value)
        {
            for (int seen; (seen = Volatile.Read(ref target)) < value;) Interlocked.CompareExchange(ref target, value, seen);
        }
    }
}

/// <summary>An engine over a <see cref="FakeBackend"/>.</summary>
internal static class FakeEngine
{
    public static InferenceEngine Create(FakeBackend backend, IBatchSealer? sealer = null, ISealedBatchSink? sink = null, IAdmissionGate? gate = null) =>
        new(new InferenceEngineOptions { Backend = backend, Sealer = sealer, Sink = sink, Gate = gate });

    // The fake reads no file, the loader does.
    public static ModelOptions Options { get; } = new() { Name = "fake", Path = TestFiles.Model("noop"), Workers = 1 };

    public static InferenceRequest Request(float x) => new InferenceRequest("fake").Add<float>("x", [1, 1], new[] { x });

    public static InferenceRequest Request(float x, TimeSpan timeout)
    {
        var request = Request(x);
        request.Timeout = timeout;
        return request;
    }
}
