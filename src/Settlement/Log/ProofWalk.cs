using System.Numerics;

namespace OpenGradient.Engine.Settlement.Log;

/// <summary>Which subtrees a proof of RFC 6962 §2.1 consists of, as ranges of leaves from <c>Low</c> up to <c>High</c>, nearest to the leaf first.</summary>
internal static class ProofWalk
{
    /// <summary>Siblings of a leaf within the first <paramref name="size"/> leaves (§2.1.1).</summary>
    public static List<(ulong Low, ulong High)> Inclusion(ulong index, ulong size)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, size);
        var ranges = new List<(ulong, ulong)>();
        ulong low = 0, high = size;
        while (high - low > 1)
        {
            var middle = low + Split(high - low);
            if (index < middle)
            {
                ranges.Add((middle, high));
                high = middle;
            }
            else
            {
                ranges.Add((low, middle));
                low = middle;
            }
        }

        ranges.Reverse();
        return ranges;
    }

    /// <summary>What shows that the first <paramref name="oldSize"/> leaves are a prefix of the first <paramref name="newSize"/> (§2.1.2).</summary>
    public static List<(ulong Low, ulong High)> Consistency(ulong oldSize, ulong newSize)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(oldSize, newSize);
        var ranges = new List<(ulong, ulong)>();
        if (oldSize == 0 || oldSize == newSize) return ranges;
        ulong low = 0, high = newSize;
        var whole = true;
        while (oldSize != high)
        {
            var middle = low + Split(high - low);
            if (oldSize <= middle)
            {
                ranges.Add((middle, high));
                high = middle;
            }
            else
            {
                ranges.Add((low, middle));
                (low, whole) = (middle, false);
            }
        }

        if (!whole) ranges.Add((low, high));
        ranges.Reverse();
        return ranges;
    }

    /// <summary>The complete subtrees of a range, left to right: level and index of each one's root.</summary>
    public static List<(int Level, ulong Index)> Nodes(ulong low, ulong high)
    {
        var nodes = new List<(int, ulong)>();
        while (low < high)
        {
            var size = BitOperations.IsPow2(high - low) ? high - low : Split(high - low);
            nodes.Add((BitOperations.TrailingZeroCount(size), low / size));
            low += size;
        }

        return nodes;
    }

    /// <summary>The largest power of two below <paramref name="size"/>.</summary>
    public static ulong Split(ulong size) => 1UL << (63 - BitOperations.LeadingZeroCount(size - 1));
}
