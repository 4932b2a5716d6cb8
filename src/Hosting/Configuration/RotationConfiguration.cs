using OpenGradient.Engine.Hosting.Epochs;

namespace OpenGradient.Engine.Hosting.Configuration;

/// <summary>When the signing key is replaced while the host runs (docs/operations.md, "Rotation"). An operator can ask for it at any time.</summary>
public sealed record RotationConfiguration
{
    /// <summary>
    /// Statements after which a key is replaced; 0 for no such limit. 0 by default: neither the signature scheme nor the sequence
    /// number wears out, so a count is a choice of how much one key may stand for.
    /// </summary>
    public long AfterStatements { get; init; }

    /// <summary>Age in seconds at which a key is replaced; 0 for never. A day by default: evidence is then never older than that, for one registration's gas a day.</summary>
    public double AfterSeconds { get; init; } = 86_400;

    /// <summary>
    /// How long the replaced key is kept for batches that were executing. 60 s by default: longer than a backend call may take
    /// (30 s and 5 s of grace). What takes longer still is sealed by the new key.
    /// </summary>
    public double OverlapSeconds { get; init; } = 60;

    internal RotationOptions ToOptions() => new()
    {
        AfterStatements = AfterStatements == 0 ? null : AfterStatements,
        After = AfterSeconds == 0 ? null : TimeSpan.FromSeconds(AfterSeconds),
        Overlap = TimeSpan.FromSeconds(OverlapSeconds),
    };

    internal static void Check(RotationConfiguration rotation, List<string> errors)
    {
        if (rotation.AfterStatements is not (>= 0 and <= 1L << 53)) errors.Add("attestation.rotation.afterStatements: 0, or up to 9,007,199,254,740,992");
        // A year: whoever wants longer wants none. A minute: each key costs a transaction, and its evidence is kept for ever.
        if (rotation.AfterSeconds is not (0 or (>= 60 and <= 31_536_000))) errors.Add("attestation.rotation.afterSeconds: 0 (never), or 60 to 31,536,000");
        if (rotation.OverlapSeconds is not (>= 1 and <= 86_400)) errors.Add("attestation.rotation.overlapSeconds: between 1 and 86,400");
        if (rotation.AfterSeconds > 0 && rotation.AfterSeconds <= rotation.OverlapSeconds) errors.Add("attestation.rotation.afterSeconds: longer than attestation.rotation.overlapSeconds");
    }
}
