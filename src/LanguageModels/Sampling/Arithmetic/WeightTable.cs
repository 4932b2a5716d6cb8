using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace OpenGradient.Engine.LanguageModels.Sampling.Arithmetic;

/// <summary>
/// One row's probabilities as whole numbers: the most probable token weighs 2^30, every other e to the power of its distance
/// in fractions of that, rounded down. Sums of whole numbers are exact, so neither the width of a vector nor the order of a
/// sum can change a draw. Chunks of 128 columns keep their largest weight and their sum, so that what follows skips most of a
/// row. Used by one thread.
/// </summary>
internal sealed class WeightTable
{
    public const int One = 1 << 30;

    private const int Chunk = 128;
    private const int Lanes = 16;

    private int[] _weights = [];
    private int[] _largest = [];
    private long[] _sums = [];
    private int[] _order = [];
    private ulong[] _keys = [];
    private int _columns;
    private int _chunks;

    /// <summary>Sum over all columns.</summary>
    public long Total { get; private set; }

    /// <param name="max">The row's largest logit, finite.</param>
    /// <param name="scale">What distances are multiplied by: 1 / temperature.</param>
    public void Fill(ReadOnlySpan<float> row, float max, float scale)
    {
        Reserve(row.Length);
        var least = Vector512.Create(FixedMath.LeastExponent);
        var (shift, factor, one) = (Vector512.Create(max), Vector512.Create(scale), Vector512.Create((float)One));
        Total = 0;
        for (var chunk = 0; chunk < _chunks; chunk++)
        {
            var source = row.Slice(chunk * Chunk, Math.Min(Chunk, row.Length - (chunk * Chunk)));
            var target = _weights.AsSpan(chunk * Chunk, Chunk);
            var vectors = MemoryMarshal.Cast<float, Vector512<float>>(source);
            var results = MemoryMarshal.Cast<int, Vector512<int>>(target);
            var (largest, sum) = (Vector512<int>.Zero, Vector512<long>.Zero);
            for (var i = 0; i < vectors.Length; i++)
            {
                var distance = (vectors[i] - shift) * factor;
                distance = Vector512.ConditionalSelect(Vector512.GreaterThan(distance, least), distance, least);
                var weight = Vector512.ConvertToInt32(FixedMath.Exp(distance) * one);
                results[i] = weight;
                largest = Vector512.Max(largest, weight);
                var (lower, upper) = Vector512.Widen(weight);
                sum += lower + upper;
            }

            var (most, all) = (0, Vector512.Sum(sum));
            for (var lane = 0; lane < Lanes; lane++) most = Math.Max(most, largest[lane]);
            for (var i = vectors.Length * Lanes; i < source.Length; i++)
            {
                var weight = (int)(FixedMath.Exp(Math.Max((source[i] - max) * scale, FixedMath.LeastExponent)) * One);
                target[i] = weight;
                most = Math.Max(most, weight);
                all += weight;
            }

            _largest[chunk] = most;
            _sums[chunk] = all;
            Total += all;
        }
    }

    /// <summary>
    /// The order in which tokens are kept: the heavier first, the lower id first among equals. A set that is kept is all tokens
    /// from the first of this order to its last one; this is the last one's key, and <paramref name="total"/> the set's sum.
    /// </summary>
    /// <param name="topK">0 for all.</param>
    /// <param name="topP">1 for all.</param>
    /// <param name="minP">0 for all.</param>
    public ulong Keep(int topK, float topP, float minP, out long total)
    {
        var least = minP > 0 ? Math.Max(1, (int)Math.Ceiling((double)minP * One)) : 1;
        var keys = Candidates(topK, topP, least);
        if (topK > 0 && keys.Length > topK) keys = keys[..KeyOrder.KeepCount(keys, topK)];
        if (topP < 1)
        {
            var sum = topK > 0 ? KeyOrder.Sum(keys) : Total;
            keys = keys[..KeyOrder.KeepSum(keys, Needed(topP, sum))];
        }

        total = 0;
        var last = ulong.MaxValue;
        foreach (var key in keys)
        {
            if (KeyOrder.WeightOf(key) < least) continue;
            total += KeyOrder.WeightOf(key);
            last = Math.Min(last, key);
        }

        return last;
    }

    /// <summary>The token at which the sum over kept tokens, in the order of their ids, first exceeds <paramref name="target"/>.</summary>
    /// <param name="last">What <see cref="Keep"/> gave; 0 when all are kept.</param>
    public int At(long target, ulong last)
    {
        var least = KeyOrder.WeightOf(last);
        for (var chunk = 0; chunk < _chunks; chunk++)
        {
            if (_largest[chunk] < least) continue;
            if (last == 0 && target >= _sums[chunk])
            {
                target -= _sums[chunk];
                continue;
            }

            var weights = _weights.AsSpan(chunk * Chunk, Math.Min(Chunk, _columns - (chunk * Chunk)));
            for (var i = 0; i < weights.Length; i++)
            {
                if (weights[i] < least || KeyOrder.Of(weights[i], (chunk * Chunk) + i) < last) continue;
                if (target < weights[i]) return (chunk * Chunk) + i;
                target -= weights[i];
            }
        }

        throw new InvalidOperationException("a target beyond the sum of what is kept");
    }

    /// <summary>The smallest sum that reaches a share.</summary>
    private static long Needed(float share, long sum) => Math.Clamp((long)Math.Ceiling((double)share * sum), 1, sum);

    /// <summary>All tokens that can be kept, and perhaps some more: a bound that is cheap and errs to keeping.</summary>
    private Span<ulong> Candidates(int topK, float topP, int least)
    {
        long below = 0;
        if (topK > 0)
        {
            // As many chunks as tokens are wanted have one that weighs this much.
            if (topK <= _chunks) below = Math.Max(0, KthLargestChunk(topK) - 1);
        }
        else if (topP < 1)
        {
            // All tokens that weigh no more than this weigh less together than what may be left out.
            below = (Total - Needed(topP, Total)) / _columns;
        }

        // Lighter ones count in the sum that top-p takes its share of.
        if (topP >= 1) below = Math.Max(below, least - 1);
        var count = 0;
        for (var chunk = 0; chunk < _chunks; chunk++)
        {
            if (_largest[chunk] <= below) continue;
            if (_keys.Length < count + Chunk) Array.Resize(ref _keys, Math.Max(1024, 2 * (count + Chunk)));
            var end = Math.Min(_columns, (chunk + 1) * Chunk);
            for (var i = chunk * Chunk; i < end; i++)
                if (_weights[i] > below) _keys[count++] = KeyOrder.Of(_weights[i], i);
        }

        return _keys.AsSpan(0, count);
    }

    private int KthLargestChunk(int k)
    {
        var order = _order.AsSpan(0, _chunks);
        _largest.AsSpan(0, _chunks).CopyTo(order);
        order.Sort();
        return order[_chunks - k];
    }

    private void Reserve(int columns)
    {
        _columns = columns;
        _chunks = (columns + Chunk - 1) / Chunk;
        if (_largest.Length >= _chunks) return;
        _weights = new int[_chunks * Chunk];
        _largest = new int[_chunks];
        _sums = new long[_chunks];
        _order = new int[_chunks];
    }
}
