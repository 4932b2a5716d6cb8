using OpenGradient.Engine.Settlement.Tests.Postgres;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace OpenGradient.Engine.Settlement.Tests.Outbox;

/// <summary>A test of a contract that several classes inherit; visibly skipped in those whose server is not installed.</summary>
[XunitTestCaseDiscoverer("OpenGradient.Engine.Settlement.Tests.Outbox.ContractFactDiscoverer", "OpenGradient.Engine.Settlement.Tests")]
public sealed class ContractFactAttribute : FactAttribute;

/// <summary>Marks a class whose tests need a PostgreSQL server.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class NeedsPostgresAttribute : Attribute;

public sealed class ContractFactDiscoverer(IMessageSink messages) : IXunitTestCaseDiscoverer
{
    public IEnumerable<IXunitTestCase> Discover(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute)
    {
        var needsServer = testMethod.TestClass.Class.GetCustomAttributes(typeof(NeedsPostgresAttribute)).Any();
        return needsServer && PostgresServer.Missing is not null
            ? [new WithoutServer(messages, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod)]
            : [new XunitTestCase(messages, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod)];
    }

    private sealed class WithoutServer : XunitTestCase
    {
        [Obsolete("for the framework's deserialization")]
        public WithoutServer() { }

        public WithoutServer(IMessageSink messages, TestMethodDisplay display, TestMethodDisplayOptions options, ITestMethod method) : base(messages, display, options, method) { }

        protected override string GetSkipReason(IAttributeInfo factAttribute) => PostgresServer.Missing ?? "";
    }
}
