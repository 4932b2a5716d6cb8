using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Determinism;
using OpenGradient.Engine.OnnxRuntime;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Engine.Tests;

/// <summary>A model opened without an engine, with one re-execution over it.</summary>
internal sealed class OpenedModel : IDisposable
{
    private OpenedModel(IBackendModel model)
    {
        Model = model;
        Execution = new RowExecution(model);
    }

    public IBackendModel Model { get; }

    public RowExecution Execution { get; }

    public static unsafe OpenedModel Open(string name)
    {
        var file = File.ReadAllBytes(TestFiles.Model(name));
        using var bytes = new NativeBuffer();
        bytes.Reserve(file.Length);
        file.CopyTo(new Span<byte>(bytes.Pointer, file.Length));
        using var artifact = new ModelArtifact(new ReadOnlyNativeMemory(bytes.Pointer, file.Length), [], default, memory: null);
        return new OpenedModel(new OnnxRuntimeBackend(TestFiles.Library).Open(name, artifact, new ExecutionOptions()));
    }

    public void Dispose()
    {
        Execution.Dispose();
        Model.Dispose();
    }
}
