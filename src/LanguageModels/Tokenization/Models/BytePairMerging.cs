using System.Buffers;

namespace OpenGradient.Engine.LanguageModels.Tokenization.Models;

/// <summary>
/// Applies merges to a row of tokens: always the pair of the lowest rank, the leftmost of equals. Short rows are
/// searched each time, long ones keep a heap, so that a row of n costs n log n.
/// </summary>
internal static class BytePairMerging
{
    // Above this a heap is faster; words of most languages are below.
    private const int Short = 40;

    public static void Merge(Span<int> row, MergeTable merges, List<int> tokens)
    {
        if (row.Length <= Short) MergeShort(row, merges, tokens);
        else MergeLong(row, merges, tokens);
    }

    private static void MergeShort(Span<int> row, MergeTable merges, List<int> tokens)
    {
        Span<int> ranks = stackalloc int[Short];
        Span<int> joined = stackalloc int[Short];
        var count = row.Length;
        for (var at = 0; at + 1 < count; at++) ranks[at] = merges.Find(row[at], row[at + 1], out joined[at]);
        while (count > 1)
        {
            var best = 0;
            for (var at = 1; at + 1 < count; at++)
                if (ranks[at] < ranks[best]) best = at;
            if (ranks[best] == int.MaxValue) break;
            row[best] = joined[best];
            row[(best + 2)..count].CopyTo(row[(best + 1)..]);
            if (best + 2 < count)
            {
                ranks[(best + 2)..count].CopyTo(ranks[(best + 1)..]);
                joined[(best + 2)..count].CopyTo(joined[(best + 1)..]);
            }

            count--;
            if (best > 0) ranks[best - 1] = merges.Find(row[best - 1], row[best], out joined[best - 1]);
            if (best + 1 < count) ranks[best] = merges.Find(row[best], row[best + 1], out joined[best]);
        }

        foreach (var token in row[..count]) tokens.Add(token);
    }

    private static void MergeLong(Span<int> row, MergeTable merges, List<int> tokens)
    {
        var links = ArrayPool<int>.Shared.Rent(row.Length * 2);
        // Every merge makes one pair fewer and looks at two, so that this is the most that can wait.
        var heap = new MergeHeap(row.Length);
        try
        {
            Span<int> next = links.AsSpan(0, row.Length), previous = links.AsSpan(row.Length, row.Length);
            for (var at = 0; at < row.Length; at++)
            {
                next[at] = at + 1 < row.Length ? at + 1 : -1;
                previous[at] = at - 1;
                if (at + 1 < row.Length && merges.Find(row[at], row[at + 1], out _) is var rank and < int.MaxValue) heap.AddUnordered(rank, at);
            }

            heap.Order();
            while (heap.TryTake(out var rank, out var at))
            {
                var right = row[at] < 0 ? -1 : next[at];
                // What has changed since it was put on the heap has another rank now, and was put there again.
                if (right < 0 || merges.Find(row[at], row[right], out var joined) != rank) continue;
                row[at] = joined;
                row[right] = -1;
                next[at] = next[right];
                if (next[at] >= 0)
                {
                    previous[next[at]] = at;
                    if (merges.Find(joined, row[next[at]], out _) is var after and < int.MaxValue) heap.Add(after, at);
                }

                if (previous[at] >= 0 && merges.Find(row[previous[at]], joined, out _) is var before and < int.MaxValue) heap.Add(before, previous[at]);
            }

            foreach (var token in row)
                if (token >= 0) tokens.Add(token);
        }
        finally
        {
            ArrayPool<int>.Shared.Return(links);
        }
    }
}
