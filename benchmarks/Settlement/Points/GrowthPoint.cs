using OpenGradient.Engine.Benchmarks.Settlement.Growth;

namespace OpenGradient.Engine.Benchmarks.Settlement.Points;

/// <summary>The growth curve: to ten million receipts in the full run, to fifty thousand in a quick one.</summary>
internal sealed class GrowthPoint : IPoint<BenchContext>
{
    private const long TenMillion = 10_000_000;
    private const double MostProofMs = 5, MostRestartSeconds = 10;

    public string Name => "growth";

    public async Task RunAsync(BenchContext context)
    {
        var figures = context.Figures;
        long[] sizes = context.Options.Quick ? [50_000] : [100_000, 1_000_000, 3_000_000, TenMillion];
        var folder = context.NewFolder(Name);
        try
        {
            foreach (var step in await GrowthRun.RunAsync(sizes, folder.FullName, CancellationToken.None))
            {
                figures.Count(step.Checked, step.Failed);
                figures.Row("growth", $"one proof, p99, {step.Receipts:#,0} receipts", step.ProofMs, "ms", MostProofMs, note: FormattableString.Invariant($"median {step.MedianProofMs:0.00}, status {step.StatusMs:0.00} ms; append {step.AppendMicroseconds:0.00} us per receipt"));
                figures.Row("growth", "... restart", step.RestartSeconds, "s", MostRestartSeconds, note: FormattableString.Invariant($"managed {step.ManagedMiB:0} MiB, process {step.MemoryMiB:0} MiB, disk {step.DiskMiB:#,0} MiB, {step.Archived:#,0} of {step.Statements:#,0} statements archived"));
                if (step.Receipts >= TenMillion) figures.ProofMsAt10M = step.ProofMs;
            }

            if (figures.ProofMsAt10M is null) figures.Missing("proof_ms_at_10m", "a quick run does not grow so far: ./bench.sh settlement --only growth");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
