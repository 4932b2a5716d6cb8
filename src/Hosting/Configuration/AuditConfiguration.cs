namespace OpenGradient.Engine.Hosting.Configuration;

/// <summary>Which rows are executed again behind their anchors, and what is kept for it (docs/configuration.md, "audit").</summary>
public sealed record AuditConfiguration
{
    /// <summary>Share of rows that is executed again, taken as one in a whole number. A thousandth by default, a tenth of a percent of the work; 0 switches audits off.</summary>
    public double Rate { get; init; } = 0.001;

    /// <summary>
    /// <c>off</c>, <c>memory</c> or <c>disk</c>. Null, the default: <c>memory</c> while rows are drawn, since a draw without
    /// inputs finds nothing out; <c>off</c> with a rate of 0, since nobody would need them.
    /// </summary>
    public string? Retention { get; init; }

    /// <summary>What is not drawn by then is let go. An hour by default: a public chain takes a quarter of it to become final.</summary>
    public double RetentionWindowMs { get; init; } = 3_600_000;

    /// <summary>Most bytes kept; rows that find no room are not kept, and are counted. 64 MiB by default: a bounded part of any host's memory.</summary>
    public long RetentionBytes { get; init; } = 64 << 20;

    /// <summary>A model larger than this is not opened a second time to be audited. 2 GiB by default, since it takes as much memory again.</summary>
    public long MaxModelBytes { get; init; } = 2L << 30;

    /// <summary>Longest execution of one row. 30 s by default, as long as a call that serves.</summary>
    public double ExecutionTimeoutMs { get; init; } = 30_000;

    /// <summary>
    /// <c>stopEpoch</c> or <c>quarantine</c>: whether a statement that fails a check, or a row that is disputed, stops the key
    /// that signed it. It does by default: a restart brings service back, while nothing takes a wrong receipt back once it is final.
    /// </summary>
    public string OnBadStatement { get; init; } = "stopEpoch";

    /// <summary>The rate as the draw has it: one in so many; 0 when audits are off.</summary>
    public uint OneIn => Rate > 0 ? (uint)Math.Clamp(Math.Round(1 / Rate), 1, uint.MaxValue) : 0;

    /// <summary>The retention in force.</summary>
    public string EffectiveRetention => Rate > 0 ? Retention ?? "memory" : "off";

    internal static void Check(AuditConfiguration audit, List<string> errors)
    {
        // The smallest is one in a billion: below it a draw never happens.
        if (audit.Rate is not (0 or (>= 1e-9 and <= 1))) errors.Add("audit.rate: 0, or 0.000000001 to 1");
        if (audit.Retention is not (null or "off" or "memory" or "disk")) errors.Add($"audit.retention: '{audit.Retention}' is neither off, memory nor disk");
        // 30 days: longer than any chain takes; what is kept that long is an archive.
        if (audit.RetentionWindowMs is not (>= 1000 and <= 2_592_000_000)) errors.Add("audit.retentionWindowMs: between 1,000 and 2,592,000,000");
        if (audit.RetentionBytes is not (>= 65_536 and <= 1L << 44)) errors.Add("audit.retentionBytes: between 65,536 and 17,592,186,044,416");
        if (audit.MaxModelBytes < 1) errors.Add("audit.maxModelBytes: 1 or more");
        if (audit.ExecutionTimeoutMs is not (> 0 and <= 3_600_000)) errors.Add("audit.executionTimeoutMs: above 0, to 3,600,000");
        if (audit.OnBadStatement is not ("stopEpoch" or "quarantine")) errors.Add($"audit.onBadStatement: '{audit.OnBadStatement}' is neither stopEpoch nor quarantine");
    }
}
