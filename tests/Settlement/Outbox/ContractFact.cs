using OpenGradient.Engine.Settlement.Tests.Postgres;
using Xunit.Sdk;

namespace OpenGradient.Engine.Settlement.Tests.Outbox;

/// <summary>A test of a contract that several classes inherit; visibly skipped in those whose server is not installed.</summary>
[XunitTestCaseDiscoverer("OpenGradient.Engine.Tests.ContractFactDiscoverer", "OpenGradient.Engine.Settlement.Tests")]
public sealed class ContractFactAttribute : FactAttribute;

/// <summary>Marks a class whose tests need a PostgreSQL server.</summary>
public sealed class NeedsPostgresAttribute : NeedsAttribute
{
    public override string? Missing => PostgresServer.Missing;
}
