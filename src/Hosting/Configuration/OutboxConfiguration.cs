namespace OpenGradient.Engine.Hosting.Configuration;

/// <summary>What one process does of the whole (docs/scale-out.md).</summary>
[Flags]
public enum ServingRoles
{
    None = 0,

    /// <summary>Answers requests, seals, signs checkpoints and publishes its log. Holds the enclave's keys.</summary>
    Engine = 1,

    /// <summary>Re-checks statements behind the answers.</summary>
    Verifier = 2,

    /// <summary>Registers keys, anchors and follows to finality. Holds the paying account's key.</summary>
    Settler = 4,
    All = Engine | Verifier | Settler,
}

/// <summary>Where the journal is kept.</summary>
public sealed record OutboxConfiguration
{
    /// <summary><c>segments</c>, in the data folder, or <c>postgres</c>. Segments by default: they need nothing beside this process.</summary>
    public string Kind { get; init; } = "segments";

    /// <summary>File with Npgsql's connection string on its only line; a secret file.</summary>
    public string? ConnectionStringFile { get; init; }

    /// <summary>How long a lease lasts without being renewed: after a kill, the next worker leads within it. 5 s: shorter stalls change nothing.</summary>
    public double LeaseMs { get; init; } = 5_000;

    /// <summary>How often the journal is read where no notification came.</summary>
    public double PollMs { get; init; } = 250;

    /// <summary>How long one statement may take in the database.</summary>
    public double StatementTimeoutMs { get; init; } = 10_000;

    /// <summary>Trust file that says whose evidence a verifier without an engine accepts.</summary>
    public string? TrustFile { get; init; }

    /// <summary>The roles of these names; null, and the errors, when one is unknown or none is given.</summary>
    public static ServingRoles? RolesOf(IReadOnlyList<string> names, List<string> errors)
    {
        var roles = ServingRoles.None;
        foreach (var name in names)
        {
            var role = name switch { "engine" => ServingRoles.Engine, "verifier" => ServingRoles.Verifier, "settler" => ServingRoles.Settler, _ => ServingRoles.None };
            if (role == ServingRoles.None) errors.Add($"roles: '{name}' is neither engine, verifier nor settler");
            roles |= role;
        }

        if (names.Count == 0) errors.Add("roles: at least one of engine, verifier and settler");
        return errors.Count > 0 ? null : roles;
    }

    internal static void Check(HostConfiguration configuration, List<string> errors)
    {
        var outbox = configuration.Outbox;
        var unknown = new List<string>();
        var roles = RolesOf(configuration.Roles, unknown);
        errors.AddRange(unknown);
        if (outbox.LeaseMs is not (>= 500 and <= 600_000)) errors.Add("outbox.leaseMs: between 500 and 600,000");
        if (outbox.PollMs is not (>= 10 and <= 60_000)) errors.Add("outbox.pollMs: between 10 and 60,000");
        if (outbox.StatementTimeoutMs is not (>= 100 and <= 600_000)) errors.Add("outbox.statementTimeoutMs: between 100 and 600,000");
        switch (outbox.Kind)
        {
            case "segments":
                if (outbox.ConnectionStringFile is not null) errors.Add("outbox.connectionStringFile: outbox.kind segments has no server; say postgres or leave it out");
                if (roles is { } parts && parts != ServingRoles.All)
                    errors.Add("roles: with outbox.kind segments engine, verifier and settler are one process; leave roles out, or set outbox.kind to postgres, which processes can share");
                break;
            case "postgres":
                if (outbox.ConnectionStringFile is null) errors.Add("outbox.connectionStringFile: outbox.kind postgres needs a file with the connection string");
                if (configuration.Chain is null) errors.Add("outbox.kind: without a chain nothing is settled and there is no outbox; leave it out");
                if (roles is { } some && some.HasFlag(ServingRoles.Verifier) && !some.HasFlag(ServingRoles.Engine) && outbox.TrustFile is null)
                    errors.Add("outbox.trustFile: a verifier without an engine needs a trust file that says whose evidence it accepts");
                break;
            default:
                errors.Add($"outbox.kind: '{outbox.Kind}' is neither segments nor postgres");
                break;
        }
    }
}
