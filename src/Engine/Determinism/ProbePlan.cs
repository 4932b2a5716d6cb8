using System.Globalization;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Determinism;

/// <summary>Which rules and batch sizes a probe tries, and in which order: what is likely to fail and cheap comes first.</summary>
internal static class ProbePlan
{
    // Sizes at which kernels change paths: one row, pairs, vectors of 4, 8 and 16, their neighbours, and blocks of 32 and 64.
    private static readonly int[] Small = [2, 3, 5, 4, 8, 7];
    private static readonly int[] All = [2, 3, 4, 5, 7, 8, 12, 15, 16, 17, 31, 32, 33, 63, 64];

    /// <summary>Rounds of batches: how many different rows they draw from, and how large they are.</summary>
    public static IReadOnlyList<(int Rows, IReadOnlyList<int> Sizes)> Rounds(int maxBatch)
    {
        // The second and the third round differ in what they draw.
        var all = AllSizes(maxBatch);
        return [(4, [.. Small.Where(size => size <= maxBatch)]), (ProbeRows.Count, all), (ProbeRows.Count, all)];
    }

    /// <summary>The padding rules from the cheapest up, none cheaper than what the options ask for.</summary>
    /// <param name="threads">Intra-op threads: work that is split over rows may need as many rows as threads.</param>
    public static IReadOnlyList<PaddingRule> Rules(PaddingRule asked, int threads, int maxBatch)
    {
        PaddingRule[] known = [PaddingRule.None, new(2, 1), new(Math.Max(2, threads), 1), new(1, 4), new(1, 8), new(1, 16)];
        return [.. known
            .Select(rule => new PaddingRule(Math.Max(rule.MinimumRows, asked.MinimumRows), LeastCommonMultiple(rule.Multiple, asked.Multiple)))
            .Where(rule => rule.RowsFor(1) <= maxBatch)
            .Distinct()];
    }

    /// <summary>The largest number of callers' rows for which a rule executes no more than a model's limit.</summary>
    public static int LargestBatch(PaddingRule rule, int maxBatch) => maxBatch / rule.Multiple * rule.Multiple;

    /// <summary>Intra-op threads as the fingerprint states them; 1 where it does not.</summary>
    public static int ThreadsOf(RuntimeFingerprint runtime)
    {
        const string Label = "intra=";
        var option = runtime.Options.Split(';').FirstOrDefault(part => part.StartsWith(Label, StringComparison.Ordinal));
        return option is not null && int.TryParse(option.AsSpan(Label.Length), CultureInfo.InvariantCulture, out var threads) ? threads : 1;
    }

    private static List<int> AllSizes(int maxBatch)
    {
        var sizes = new List<int>(All);
        for (var power = 128; power - 1 <= maxBatch; power *= 2) sizes.AddRange([power - 1, power, power + 1]);
        sizes.Add(maxBatch);
        return [.. sizes.Where(size => size >= 2 && size <= maxBatch).Distinct().Order()];
    }

    private static int LeastCommonMultiple(int a, int b)
    {
        var (x, y) = (a, b);
        while (y != 0) (x, y) = (y, x % y);
        return checked(a / x * b);
    }
}
