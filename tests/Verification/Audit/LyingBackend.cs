using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Verification.Tests.Audit;

/// <summary>The real backend, whose answers have one bit flipped from some call on.</summary>
internal sealed class LyingBackend(IModelBackend honest) : IModelBackend
{
    private int _calls;
    private bool _begun;

    /// <summary>The first call that lies, counted from <see cref="Begin"/>.</summary>
    public int LieFrom { get; set; } = 1;

    public int Lies { get; private set; }

    /// <summary>What the engine does at load is over.</summary>
    public void Begin() => _begun = true;

    public IReadOnlyList<string> FilesNamedBy(string modelName, ReadOnlyNativeMemory model) => honest.FilesNamedBy(modelName, model);

    public IBackendModel Open(string modelName, ModelArtifact artifact, ExecutionOptions options) => new Model(this, honest.Open(modelName, artifact, options));

    private sealed class Model(LyingBackend liar, IBackendModel model) : IBackendModel
    {
        public IReadOnlyList<TensorSpec> Inputs => model.Inputs;

        public IReadOnlyList<TensorSpec> Outputs => model.Outputs;

        public RuntimeFingerprint Fingerprint => model.Fingerprint;

        public IBackendExecutor CreateExecutor() => new Executor(liar, model.CreateExecutor());

        public void Dispose() => model.Dispose();
    }

    private sealed class Executor(LyingBackend liar, IBackendExecutor executor) : IBackendExecutor
    {
        public unsafe BackendFault? Execute(ExecutionBuffers buffers)
        {
            var fault = executor.Execute(buffers);
            if (fault is not null || !liar._begun || Interlocked.Increment(ref liar._calls) < liar.LieFrom) return fault;
            *(byte*)buffers.OutputData[0] ^= 1;
            liar.Lies++;
            return null;
        }

        public void Terminate() => executor.Terminate();

        public void ClearTermination() => executor.ClearTermination();

        public void Dispose() => executor.Dispose();
    }
}
