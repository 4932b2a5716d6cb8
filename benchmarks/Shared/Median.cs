namespace OpenGradient.Engine.Benchmarks;

internal static class Median
{
    /// <summary>The middle value, or the mean of the two; null for none.</summary>
    public static double? Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        if (sorted.Length == 0) return null;
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    public static double? Of<T>(IEnumerable<T> items, Func<T, double> value) => Of(items.Select(value));
}
