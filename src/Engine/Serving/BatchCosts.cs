namespace OpenGradient.Engine.Serving;

/// <summary>
/// What a row costs at each batch size, measured at load. Kernels work in tiles of rows (12 in ONNX Runtime's fp32 product with
/// AVX-512), so a batch a little larger than a worker's share can cost less per row: 36 rows of the digits model 6% less than
/// 32. Immutable.
/// </summary>
internal sealed class BatchCosts
{
    // Tiles are multiples of 4; between two measured sizes the cost is taken to be on the line between them.
    private const int Step = 4;

    // Above this a tile's remainder is a small part of the batch.
    private const int MaxMeasured = 128;

    // A smaller gain than this is within what two measurements differ by.
    private const double LeastGain = 0.02;

    // A larger batch leaves the other workers less, and its rows wait for each other.
    private const double LargestGrowth = 1.25;

    // By share: the size to take.
    private readonly int[] _preferred;

    private BatchCosts(int[] preferred) => _preferred = preferred;

    /// <summary>No size is preferred to another.</summary>
    public static BatchCosts Unknown { get; } = new([]);

    /// <summary>The sizes to give <see cref="Of"/> times for, smallest first.</summary>
    public static IReadOnlyList<int> SizesToMeasure(int maxBatch) =>
        [.. Enumerable.Range(1, Math.Min(maxBatch, MaxMeasured) / Step).Select(i => i * Step)];

    /// <param name="times">Time of one call at each of <see cref="SizesToMeasure"/>, in any unit.</param>
    public static BatchCosts Of(IReadOnlyList<double> times)
    {
        var largest = times.Count * Step;
        var preferred = new int[largest + 1];
        for (var share = 1; share <= largest; share++)
        {
            preferred[share] = share;
            var least = PerRow(times, share) * (1 - LeastGain);
            for (var size = share + 1; size <= Math.Min(largest, share * LargestGrowth); size++)
            {
                if (PerRow(times, size) >= least) continue;
                least = PerRow(times, size);
                preferred[share] = size;
            }
        }

        return new BatchCosts(preferred);
    }

    /// <summary>How many rows to take where <paramref name="share"/> would be this worker's part; at least that.</summary>
    public int Prefer(int share) => share < _preferred.Length ? _preferred[share] : share;

    private static double PerRow(IReadOnlyList<double> times, int size)
    {
        var below = size / Step;
        // Fewer rows than the smallest measured batch cost what that costs: a tile is not divided.
        if (below == 0) return times[0] / size;
        var at = times[below - 1];
        var rest = size % Step;
        return (rest == 0 ? at : at + ((times[below] - at) * rest / Step)) / size;
    }
}
