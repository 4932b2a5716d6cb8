namespace OpenGradient.Engine.Benchmarks.Settlement.Growth;

/// <summary>What one size of the log costs.</summary>
/// <param name="Receipts">Receipts in it, all final.</param>
/// <param name="Statements">Statements in it.</param>
/// <param name="AppendMicroseconds">Per receipt over the part since the step before: from the hand-over to final, making the batches included.</param>
/// <param name="ProofMs">One proof, 99th percentile over receipts from all of the log.</param>
/// <param name="MedianProofMs">The same, median.</param>
/// <param name="StatusMs">Where a receipt stands, by its id, 99th percentile.</param>
/// <param name="RestartSeconds">Until a service over the folder stands ready.</param>
/// <param name="ManagedMiB">Managed memory in use, after a collection.</param>
/// <param name="MemoryMiB">Of the process.</param>
/// <param name="DiskMiB">Of the whole data folder.</param>
/// <param name="Archived">Statements that have left memory.</param>
/// <param name="Checked">Receipts that were found, proven and checked.</param>
/// <param name="Failed">Receipts that were not.</param>
public sealed record GrowthStep(
    long Receipts, long Statements, double AppendMicroseconds, double ProofMs, double MedianProofMs, double StatusMs, double RestartSeconds,
    double ManagedMiB, double MemoryMiB, double DiskMiB, long Archived, long Checked, long Failed);
