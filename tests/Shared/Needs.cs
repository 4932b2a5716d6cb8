using Xunit.Abstractions;
using Xunit.Sdk;

namespace OpenGradient.Engine.Tests;

/// <summary>Marks a class whose tests need what is not on every machine.</summary>
[AttributeUsage(AttributeTargets.Class)]
public abstract class NeedsAttribute : Attribute
{
    /// <summary>Why it is not here; null where it is.</summary>
    public abstract string? Missing { get; }
}

/// <summary>Discovers the tests of a contract, which several classes inherit: visibly skipped in those whose need is missing.</summary>
public sealed class ContractFactDiscoverer(IMessageSink messages) : FactDiscoverer(messages)
{
    protected override IXunitTestCase CreateTestCase(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
        new ContractTestCase(DiagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod);

    private sealed class ContractTestCase : XunitTestCase
    {
        [Obsolete("for the framework's deserialization")]
        public ContractTestCase() { }

        public ContractTestCase(IMessageSink messages, TestMethodDisplay display, TestMethodDisplayOptions options, ITestMethod method) : base(messages, display, options, method) { }

        protected override string GetSkipReason(IAttributeInfo factAttribute) =>
            TestMethod.TestClass.Class.GetCustomAttributes(typeof(NeedsAttribute)).Select(need => need.GetNamedArgument<string?>(nameof(NeedsAttribute.Missing))).FirstOrDefault(missing => missing is not null)
                ?? base.GetSkipReason(factAttribute);
    }
}
