namespace OpenGradient.Engine.LanguageModels.Sampling.Arithmetic;

/// <summary>
/// Tokens ordered by weight, the lower id first among equals, as one number each: no two are the same, so what is kept does not
/// depend on how it was found.
/// </summary>
internal static class KeyOrder
{
    private const int Small = 32;

    public static ulong Of(int weight, int token) => ((ulong)(uint)weight << 32) | ~(uint)token;

    public static int WeightOf(ulong key) => (int)(key >> 32);

    public static long Sum(ReadOnlySpan<ulong> keys)
    {
        long sum = 0;
        foreach (var key in keys) sum += WeightOf(key);
        return sum;
    }

    /// <summary>Moves the largest keys to the front.</summary>
    /// <param name="count">How many, at least 1 and at most as many as there are.</param>
    /// <returns><paramref name="count"/>.</returns>
    public static int KeepCount(Span<ulong> keys, int count)
    {
        var (low, high, rounds) = (0, keys.Length, Rounds(keys.Length));
        while (low < count && count < high)
        {
            if (high - low <= Small || rounds-- == 0)
            {
                Descending(keys[low..high]);
                break;
            }

            var middle = low + Divide(keys[low..high]);
            if (middle >= count) high = middle;
            if (middle <= count) low = middle;
        }

        return count;
    }

    /// <summary>Moves to the front the fewest of the largest keys whose weights reach a sum, and says how many they are.</summary>
    /// <param name="needed">At least 1 and at most the sum of all.</param>
    public static int KeepSum(Span<ulong> keys, long needed)
    {
        var (low, high, rounds) = (0, keys.Length, Rounds(keys.Length));
        while (high - low > Small && rounds-- > 0)
        {
            var middle = low + Divide(keys[low..high]);
            var sum = Sum(keys[low..middle]);
            if (sum >= needed)
            {
                high = middle;
            }
            else
            {
                needed -= sum;
                low = middle;
            }
        }

        Descending(keys[low..high]);
        while (needed > 0 && low < high) needed -= WeightOf(keys[low++]);
        return low;
    }

    // Median of three divides well; where somebody has built a row that it does not divide, sorting ends it.
    private static int Rounds(int length) => 4 * (32 - System.Numerics.BitOperations.LeadingZeroCount((uint)length));

    /// <summary>Larger ones to the front; gives the start of the rest. Both parts have at least one.</summary>
    private static int Divide(Span<ulong> keys)
    {
        var (first, middle, last) = (keys[0], keys[keys.Length / 2], keys[^1]);
        var pivot = Math.Max(Math.Min(first, middle), Math.Min(Math.Max(first, middle), last));
        var (left, right) = (-1, keys.Length);
        while (true)
        {
            do left++;
            while (keys[left] > pivot);
            do right--;
            while (keys[right] < pivot);
            if (left >= right) break;
            (keys[left], keys[right]) = (keys[right], keys[left]);
        }

        return right + 1;
    }

    private static void Descending(Span<ulong> keys)
    {
        keys.Sort();
        keys.Reverse();
    }
}
