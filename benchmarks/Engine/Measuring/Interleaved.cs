namespace OpenGradient.Engine.Benchmarks.Measuring;

/// <summary>
/// Cases side by side: each round measures every case once, the next round in the opposite order, and ratios are taken within a
/// round. What disturbs the machine for longer than a round disturbs all of them.
/// </summary>
internal static class Interleaved
{
    public static async Task RunAsync(int rounds, Func<Task>[] cases)
    {
        for (var round = 0; round < rounds; round++)
            for (var i = 0; i < cases.Length; i++) await cases[round % 2 == 0 ? i : cases.Length - 1 - i]();
    }

    /// <summary>The median of the rounds' ratios; null for none.</summary>
    public static double? Ratio(IEnumerable<double> left, IEnumerable<double> right) => Median.Of(left.Zip(right, (l, r) => l / r));

    /// <summary>The median of the rounds' differences; null for none.</summary>
    public static double? Difference(IEnumerable<double> left, IEnumerable<double> right) => Median.Of(left.Zip(right, (l, r) => l - r));
}
