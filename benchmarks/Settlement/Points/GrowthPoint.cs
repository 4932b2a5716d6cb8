namespace OpenGradient.Engine.Benchmarks.Settlement.Points;

/// <summary>What one size of the log costs.</summary>
/// <param name="Receipts">Receipts in it.</param>
/// <param name="AppendMicroseconds">Per receipt, over the last part of the growth.</param>
/// <param name="ProofMs">One proof, 99th percentile.</param>
/// <param name="RestartSeconds">Until a process that starts over the folder stands ready.</param>
/// <param name="MemoryMiB">Of the process that holds it.</param>
/// <param name="Checked">Receipts that were found and proven afterwards.</param>
/// <param name="Failed">Receipts that were not.</param>
internal sealed record GrowthRow(long Receipts, double AppendMicroseconds, double ProofMs, double RestartSeconds, double MemoryMiB, long Checked, long Failed);

/// <summary>Grows a log to each size in turn over a folder.</summary>
internal delegate Task<IReadOnlyList<GrowthRow>> GrowthMeasurement(long[] receipts, string folder, CancellationToken cancellationToken);

/// <summary>The growth curve: to a million receipts in the full run, to ten million with <c>--growth</c>, which takes longer than a full run may.</summary>
/// <param name="measure">Null where this build cannot grow a log.</param>
internal sealed class GrowthPoint(GrowthMeasurement? measure) : IPoint
{
    private const long TenMillion = 10_000_000;
    private const double MostProofMs = 5, MostRestartSeconds = 10;

    public string Name => "growth";

    public async Task RunAsync(BenchContext context)
    {
        var figures = context.Figures;
        if (measure is null)
        {
            figures.Missing("proof_ms_at_10m", "this build has no growth measurement");
            return;
        }

        long[] sizes = context.Options.Growth ? [100_000, 1_000_000, 3_000_000, TenMillion] : context.Options.Quick ? [50_000] : [100_000, 300_000, 1_000_000];
        var folder = context.NewFolder(Name);
        try
        {
            foreach (var step in await measure(sizes, folder.FullName, CancellationToken.None))
            {
                figures.Count(step.Checked, step.Failed);
                figures.Row("growth", $"one proof, p99, {step.Receipts:#,0} receipts", step.ProofMs, "ms", MostProofMs, note: FormattableString.Invariant($"append {step.AppendMicroseconds:0.00} us per receipt, memory {step.MemoryMiB:0} MiB"));
                figures.Row("growth", "... restart", step.RestartSeconds, "s", MostRestartSeconds);
                if (step.Receipts >= TenMillion) figures.ProofMsAt10M = step.ProofMs;
            }

            if (figures.ProofMsAt10M is null) figures.Missing("proof_ms_at_10m", "ten million receipts take longer than this run may: ./bench.sh settlement --growth");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
