namespace OpenGradient.Engine.Settlement.Custody;

/// <summary>The first thing that is wrong.</summary>
/// <param name="File">A file's path, or what on the chain or at a witness.</param>
/// <param name="Offset">Of the first wrong byte in the file; null where there is no file.</param>
/// <param name="Expected">What was expected there, and what is there.</param>
public sealed record AuditFinding(string File, long? Offset, string Expected)
{
    public override string ToString() => Offset is { } at ? $"{File}, offset {at}: {Expected}" : $"{File}: {Expected}";
}

/// <summary>What an audit looked at, and what it found.</summary>
public sealed class AuditReport
{
    /// <summary>Null when everything holds.</summary>
    public AuditFinding? Finding { get; internal set; }

    /// <summary>What is not wrong but worth knowing.</summary>
    public IList<string> Remarks { get; } = [];

    public long Segments { get; internal set; }

    public long Records { get; internal set; }

    /// <summary>Records of kinds that an audit does not interpret: only their checksums were checked.</summary>
    public long OtherRecords { get; internal set; }

    public long Statements { get; internal set; }

    public long Quarantined { get; internal set; }

    /// <summary>Statements that are in the log.</summary>
    public ulong Leaves { get; internal set; }

    public long Tiles { get; internal set; }

    public long Bundles { get; internal set; }

    public long Checkpoints { get; internal set; }

    public long Cosignatures { get; internal set; }

    public long Anchors { get; internal set; }

    /// <summary>Whether the anchors were compared with a chain.</summary>
    public bool ChainAsked { get; internal set; }

    /// <summary>The first file that is missing. Said only if the published checkpoint, which asks for it, holds.</summary>
    internal AuditFinding? Missing { get; set; }

    /// <summary>Two signed checkpoints that contradict each other, when that is what was found.</summary>
    public Equivocation? Equivocation { get; internal set; }

    /// <summary>What an audit reports that goes on until something is wrong.</summary>
    internal static async Task<AuditReport> OfAsync(Func<AuditReport, Task> audit)
    {
        var report = new AuditReport();
        try
        {
            await audit(report).ConfigureAwait(false);
        }
        catch (AuditStoppedException stopped)
        {
            (report.Finding, report.Equivocation) = (stopped.Finding, stopped.Equivocation);
        }

        return report;
    }
}

/// <summary>Ends an audit at the first wrong byte.</summary>
#pragma warning disable CA1032 // Thrown and caught within one audit; without a finding it says nothing.
internal sealed class AuditStoppedException(AuditFinding finding) : Exception(finding.ToString())
#pragma warning restore CA1032
{
    public AuditFinding Finding => finding;

    public Equivocation? Equivocation { get; init; }

    public AuditStoppedException(string file, long? offset, string expected) : this(new AuditFinding(file, offset, expected)) { }
}
