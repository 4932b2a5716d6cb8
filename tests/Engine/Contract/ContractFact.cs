using Xunit.Abstractions;
using Xunit.Sdk;

namespace OpenGradient.Engine.Engine.Tests.Contract;

/// <summary>A test of the backends' contract, which several classes inherit; visibly skipped in those whose library is not here.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("OpenGradient.Engine.Engine.Tests.Contract.ContractFactDiscoverer", "OpenGradient.Engine.Engine.Tests")]
public sealed class ContractFactAttribute : FactAttribute;

/// <summary>Marks a class whose tests need libtorch.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NeedsTorchAttribute : Attribute;

public sealed class ContractFactDiscoverer(IMessageSink messages) : IXunitTestCaseDiscoverer
{
    public IEnumerable<IXunitTestCase> Discover(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute)
    {
        var needsTorch = testMethod.TestClass.Class.GetCustomAttributes(typeof(NeedsTorchAttribute)).Any();
        return needsTorch && TorchFiles.Missing is not null
            ? [new WithoutTorch(messages, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod)]
            : [new XunitTestCase(messages, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod)];
    }

    private sealed class WithoutTorch : XunitTestCase
    {
        [Obsolete("for the framework's deserialization")]
        public WithoutTorch() { }

        public WithoutTorch(IMessageSink messages, TestMethodDisplay display, TestMethodDisplayOptions options, ITestMethod method) : base(messages, display, options, method) { }

        protected override string GetSkipReason(IAttributeInfo factAttribute) => TorchFiles.Missing ?? "";
    }
}

/// <summary>A test of libtorch alone.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TorchFactAttribute : FactAttribute
{
    public TorchFactAttribute() => Skip = TorchFiles.Missing;
}

/// <inheritdoc cref="TorchFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TorchTheoryAttribute : TheoryAttribute
{
    public TorchTheoryAttribute() => Skip = TorchFiles.Missing;
}
