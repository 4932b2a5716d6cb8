using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Tensors;
using TorchSharp;

namespace OpenGradient.Engine.TorchSharp;

/// <summary>An opened module, shared by its executors.</summary>
internal sealed class TorchSharpModel(
    torch.jit.ScriptModule module, TorchSharpSignature signature, DeviceType device, ExecutionOptions options, RuntimeFingerprint fingerprint) : IBackendModel
{
    public IReadOnlyList<TensorSpec> Inputs => signature.Inputs;

    public IReadOnlyList<TensorSpec> Outputs => signature.Outputs;

    public RuntimeFingerprint Fingerprint => fingerprint;

    public torch.jit.ScriptModule Module => module;

    public DeviceType Device => device;

    public ExecutionOptions Options => options;

    public IBackendExecutor CreateExecutor() => new TorchSharpExecutor(this);

    public void Dispose() => module.Dispose();
}
