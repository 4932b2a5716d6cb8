using OpenGradient.Engine.LanguageModels.Kernels;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;
using OpenGradient.Engine.LanguageModels.Tests.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Tests.Kernels;

/// <summary>The runtime contract over our own kernels, once per family and scheme.</summary>
public abstract class KernelContract(string architecture, WeightScheme scheme) : TokenRuntimeContract, IDisposable
{
    private readonly TinyFolder _folder = TinyFolder.Create(new TinyShape { Architecture = architecture });

    protected override ITokenRuntime Open() =>
        KernelRuntime.Open(_folder.Path, new LanguageModelLoadOptions { Scheme = scheme, CacheBytes = 4 << 20, MaxSequences = 19 }, default);

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }
}

public sealed class LlamaBf16ContractTests() : KernelContract("llama", WeightScheme.Bf16);

public sealed class LlamaInt8ContractTests() : KernelContract("llama", WeightScheme.Int8);

public sealed class LlamaInt4ContractTests() : KernelContract("llama", WeightScheme.Int4);

public sealed class Qwen2Bf16ContractTests() : KernelContract("qwen2", WeightScheme.Bf16);

public sealed class Qwen2Int4ContractTests() : KernelContract("qwen2", WeightScheme.Int4);

public sealed class Qwen3Bf16ContractTests() : KernelContract("qwen3", WeightScheme.Bf16);

public sealed class Qwen3Int8ContractTests() : KernelContract("qwen3", WeightScheme.Int8);
