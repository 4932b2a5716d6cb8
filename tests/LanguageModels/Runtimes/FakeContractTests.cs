using OpenGradient.Engine.LanguageModels.Runtimes;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Runtimes;

/// <summary>What schedules are tested with keeps the promises of what they are served with.</summary>
public sealed class FakeContractTests : TokenRuntimeContract
{
    protected override ITokenRuntime Open() => new FakeRuntime();
}

/// <summary>The same, of a runtime with fixed pieces.</summary>
public sealed class FakeChunkedContractTests : TokenRuntimeContract
{
    protected override ITokenRuntime Open() => new FakeRuntime(FakeRuntime.Chunked with { Pages = 8 });
}
