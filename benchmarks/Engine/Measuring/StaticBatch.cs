using OpenGradient.Engine.Benchmarks.Models;

namespace OpenGradient.Engine.Benchmarks.Measuring;

/// <summary>The batch at which a plain loop makes most rows per second.</summary>
/// <param name="Rates">Rows per second by batch.</param>
internal sealed record StaticBatch(int Best, IReadOnlyDictionary<int, double> Rates)
{
    /// <summary>By CPU-bound windows of about the same length.</summary>
    /// <param name="threads">Of the plain loop: each gets two calls at least.</param>
    /// <param name="roughly">How many times faster the workload's rough rate may be than the loop at batch 1.</param>
    public static StaticBatch Search(BaselineProcess plain, Workload workload, int threads, int roughly)
    {
        var seconds = workload.IsSlow ? 1.0 : 0.4;
        var rate = Math.Max(1, plain.Fixed(1, (long)Math.Ceiling(seconds * workload.RoughRate / roughly)).Rate);
        var rates = new Dictionary<int, double>();
        // A disturbance lasts longer than a window: the second pass visits every size again, later.
        for (var pass = 0; pass < 2; pass++)
            for (var batch = 1; batch <= workload.LargestSearched; batch *= 2)
            {
                // Neighbouring sizes are about as fast: the last rate sizes the next window.
                rate = plain.Fixed(batch, Math.Max(2 * threads, (long)(seconds * rate / batch))).Rate;
                rates[batch] = Math.Max(rates.GetValueOrDefault(batch), rate);
            }

        return new StaticBatch(rates.MaxBy(pair => pair.Value).Key, rates);
    }

    /// <summary>The rates, for people.</summary>
    public override string ToString() => string.Join(", ", Rates.Select(pair => FormattableString.Invariant($"{pair.Key}: {pair.Value:0}")));
}
