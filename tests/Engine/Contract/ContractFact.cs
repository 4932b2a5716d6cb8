using Xunit.Sdk;

namespace OpenGradient.Engine.Engine.Tests.Contract;

/// <summary>A test of the backends' contract, which several classes inherit; visibly skipped in those whose library is not here.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("OpenGradient.Engine.Tests.ContractFactDiscoverer", "OpenGradient.Engine.Engine.Tests")]
public sealed class ContractFactAttribute : FactAttribute;

/// <summary>Marks a class whose tests need libtorch.</summary>
public sealed class NeedsTorchAttribute : NeedsAttribute
{
    public override string? Missing => Libtorch.Missing;
}

/// <summary>A test of libtorch alone.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TorchFactAttribute : FactAttribute
{
    public TorchFactAttribute() => Skip = Libtorch.Missing;
}

/// <inheritdoc cref="TorchFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TorchTheoryAttribute : TheoryAttribute
{
    public TorchTheoryAttribute() => Skip = Libtorch.Missing;
}
