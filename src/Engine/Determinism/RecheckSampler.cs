namespace OpenGradient.Engine.Determinism;

/// <summary>Picks about one row in so many, at changing distances so that no pattern of callers hides from it. Used by one worker's thread.</summary>
internal sealed class RecheckSampler
{
    private readonly int _oneIn;
    private RandomBits _random;
    private long _untilNext;

    public RecheckSampler(int oneIn, int seed)
    {
        _oneIn = oneIn;
        _random = new RandomBits((ulong)seed);
        _untilNext = Distance();
    }

    /// <summary>The row to execute again among so many that were answered, −1 for none.</summary>
    public int Next(int rows)
    {
        if (_untilNext > rows)
        {
            _untilNext -= rows;
            return -1;
        }

        var row = (int)_untilNext - 1;
        _untilNext = Distance();
        return row;
    }

    // 1 to 2n − 1, n in the mean.
    private long Distance() => 1 + (long)(_random.Next() % (2 * (ulong)_oneIn - 1));
}
