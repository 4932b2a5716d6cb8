using OpenGradient.Engine.LanguageModels.OnnxRuntime;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Tests.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Tests.OnnxRuntime;

public sealed class GenAiInt4ContractTests : TokenRuntimeContract
{
    protected override ITokenRuntime Open() => GenAiRuntime.Open(GenAiTestFolder.ModelPath("genai-int4"), GenAiTestFolder.Options, CancellationToken.None);
}

/// <summary>Qwen2's biases; one thread.</summary>
public sealed class GenAiInt8ContractTests : TokenRuntimeContract
{
    protected override ITokenRuntime Open() =>
        GenAiRuntime.Open(GenAiTestFolder.ModelPath("genai-int8"), GenAiTestFolder.Options with { Threads = 1 }, CancellationToken.None);
}

/// <summary>Weights in another file.</summary>
public sealed class GenAiFloatContractTests : TokenRuntimeContract
{
    protected override ITokenRuntime Open() => GenAiRuntime.Open(GenAiTestFolder.ModelPath("genai-float"), GenAiTestFolder.Options, CancellationToken.None);
}

/// <summary>Activations, caches and logits in float16.</summary>
public sealed class GenAiHalfContractTests : TokenRuntimeContract
{
    protected override ITokenRuntime Open() => GenAiRuntime.Open(GenAiTestFolder.ModelPath("genai-half"), GenAiTestFolder.Options, CancellationToken.None);
}

/// <summary>Each sequence decodes alone.</summary>
public sealed class GenAiAloneContractTests : TokenRuntimeContract, IDisposable
{
    private readonly GenAiTestFolder _folder = new("genai-int4");

    public GenAiAloneContractTests() => _folder.ComputeInFloat();

    protected override ITokenRuntime Open() => _folder.Open();

    public void Dispose() => _folder.Dispose();
}
