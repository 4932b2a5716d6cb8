using System.Runtime.InteropServices;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Engine.Tests;

/// <summary>
/// A model y = 2x over x float32 [batch,1] that can be held at its gate, that refuses every batch holding the poison, and that
/// ignores termination in every batch holding <see cref="Endless"/>.
/// </summary>
internal sealed class FakeBackend : IModelBackend
{
    public const float Poison = -1;

    /// <summary>A call with it goes on until <see cref="EndEndlessCalls"/>.</summary>
    public const float Endless = -2;

    private readonly ManualResetEventSlim _gate = new(true);
    private readonly ManualResetEventSlim _end = new(false);
    private int _freedExecutors;
    private int _lastThread;
    private int _calls;
    private int _largest;
    private int _closesAfter;

    public int Calls => Volatile.Read(ref _calls);

    public int LargestBatch => Volatile.Read(ref _largest);

    public List<IBackendModel> Disposed { get; } = [];

    /// <summary>Calls that wait at the closed gate.</summary>
    public SemaphoreSlim Arrived { get; } = new(0);

    /// <summary>Runs inside every call, before its outputs are made.</summary>
    public Action? Working { get; init; }

    public bool OutputsIgnoreRows { get; init; }

    /// <summary>Rows are of any width: y has the first column doubled.</summary>
    public bool OpenWidth { get; init; }

    /// <summary>Called with the rows of every call that passed the gate.</summary>
    public Action<float[]>? Executing { get; set; }

    /// <summary>What each call takes at least.</summary>
    public TimeSpan CallTime { get; init; }

    /// <summary>The thread of the last call.</summary>
    public int LastThread => Volatile.Read(ref _lastThread);

    public int FreedExecutors => Volatile.Read(ref _freedExecutors);

    public void EndEndlessCalls() => _end.Set();

    /// <summary>What besides the row goes into its answer; may change while the model serves.</summary>
    public volatile Influence Influence;

    /// <summary>Not 0: answers depend on the batch's size unless it is a multiple of this.</summary>
    public int MultipleThatHolds { get; init; }

    /// <summary>Whether every call is refused.</summary>
    public bool RefusesAll { get; init; }

    /// <summary>What the fingerprint says executes.</summary>
    public string Provider { get; init; } = "cpu";

    /// <summary>Closes the gate behind the next so many calls.</summary>
    public void CloseGateAfter(int calls) => Volatile.Write(ref _closesAfter, calls);

    public void CloseGate() => _gate.Reset();

    public void OpenGate() => _gate.Set();

    public IBackendModel Open(string modelName, ModelArtifact artifact, ExecutionOptions options) => new Model(this);

    private sealed class Model(FakeBackend backend) : IBackendModel
    {
        public IReadOnlyList<TensorSpec> Inputs { get; } = [new TensorSpec("x", ElementType.Float32, [-1, backend.OpenWidth ? -1 : 1], ["batch", null])];

        public IReadOnlyList<TensorSpec> Outputs { get; } = [new TensorSpec("y", ElementType.Float32, [-1, 1], [null, null])];

        public RuntimeFingerprint Fingerprint { get; } = new("fake", "1", Hash256.Sha256([1]), backend.Provider, "any", "fp32", "");

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
            Volatile.Write(ref backend._lastThread, Environment.CurrentManagedThreadId);
            if (backend.CallTime > TimeSpan.Zero) Thread.Sleep(backend.CallTime);
            if (!backend._gate.IsSet)
            {
                backend.Arrived.Release();
                WaitHandle.WaitAny([backend._gate.WaitHandle, _terminated.WaitHandle]);
            }

            backend.Working?.Invoke();
            if (_terminated.IsSet) return new BackendFault("Terminated", "asked to stop");
            var width = (int)buffers.InputShapes[0][1];
            InterlockedMax(ref backend._largest, buffers.Rows);
            var x = MemoryMarshal.Cast<byte, float>(new ReadOnlySpan<byte>(buffers.Input(0), buffers.Rows * width * 4));
            backend.Executing?.Invoke(x.ToArray());
            if (backend.RefusesAll) return new BackendFault("Refused", "everything");
            if (x.Contains(Poison)) return new BackendFault("Refused", "poison in /secret/path.cc:12");
            if (x.Contains(Endless)) backend._end.Wait();
            buffers.ReserveOutput(0, buffers.Rows * 4);
            var y = new Span<float>(buffers.Output(0), buffers.Rows);
            for (var i = 0; i < y.Length; i++) y[i] = (2 * x[i * width]) + Added(x);
            if (Interlocked.Decrement(ref backend._closesAfter) == 0) backend.CloseGate();
            var rows = backend.OutputsIgnoreRows ? 1 : buffers.Rows;
            buffers.OutputShapes[0] = [rows, 1];
            buffers.OutputData[0] = (nint)buffers.Output(0);
            buffers.OutputBytes[0] = rows * 4;
            return null;
        }

        private float Added(ReadOnlySpan<float> x)
        {
            float sum = 0;
            foreach (var value in x) sum += value;
            if (backend.MultipleThatHolds > 0) return x.Length % backend.MultipleThatHolds == 0 ? 0 : x.Length;
            return backend.Influence switch
            {
                Influence.BatchSize => x.Length,
                Influence.Neighbours => sum,
                Influence.Calls => backend.Calls,
                _ => 0,
            };
        }

        public void Terminate() => _terminated.Set();

        public void ClearTermination() => _terminated.Reset();

        public void Dispose()
        {
            Interlocked.Increment(ref backend._freedExecutors);
            _terminated.Dispose();
        }

        private static void InterlockedMax(ref int target, int value)
        {
            for (int seen; (seen = Volatile.Read(ref target)) < value;) Interlocked.CompareExchange(ref target, value, seen);
        }
    }
}

/// <summary>What a <see cref="FakeBackend"/> adds to a row's answer.</summary>
internal enum Influence
{
    None,
    BatchSize,
    Neighbours,
    Calls,
}

/// <summary>An engine over a <see cref="FakeBackend"/>.</summary>
internal static class FakeEngine
{
    public static InferenceEngine Create(FakeBackend backend, IBatchSealer? sealer = null, ISealedBatchSink? sink = null, IAdmissionGate? gate = null, TimeProvider? time = null) =>
        new(new InferenceEngineOptions { Backend = backend, Sealer = sealer, Sink = sink, Gate = gate, Time = time ?? TimeProvider.System });

    // The fake reads no file, the loader does. Never inline: a test that holds the gate closed would hold itself.
    public static ModelOptions Options { get; } = new() { Name = "fake", Path = TestFiles.Model("noop"), Workers = 1, RecheckOneIn = 0, RunInline = RunInline.Never };

    public static InferenceRequest Request(float x) => new InferenceRequest("fake").Add<float>("x", [1, 1], new[] { x });

    public static InferenceRequest Request(float x, TimeSpan timeout)
    {
        var request = Request(x);
        request.Timeout = timeout;
        return request;
    }
}
