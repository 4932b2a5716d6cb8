namespace OpenGradient.Engine.Settlement.State;

/// <summary>Good and bad events of the last hour, in slots of ten seconds: 360 of them, so a window is at most a slot too short. Guarded by its owner's lock.</summary>
internal sealed class SlidingCounts
{
    private const ulong Slot = 10_000_000_000;
    private const int Slots = 360;

    private readonly long[] _good = new long[Slots];
    private readonly long[] _bad = new long[Slots];
    private ulong _newest;

    public void Add(ulong now, bool isGood, long count)
    {
        Advance(now);
        (isGood ? _good : _bad)[_newest % Slots] += count;
    }

    /// <summary>What happened in the window that ends now.</summary>
    /// <param name="window">At most an hour.</param>
    public (long Good, long Bad) Within(ulong now, TimeSpan window)
    {
        Advance(now);
        var slots = Math.Min(Slots, (int)((ulong)window.Ticks * 100 / Slot));
        (long good, long bad) = (0, 0);
        for (var back = 0; back < slots && (ulong)back <= _newest; back++)
        {
            var at = (_newest - (ulong)back) % Slots;
            good += _good[at];
            bad += _bad[at];
        }

        return (good, bad);
    }

    // A clock that was set back stays in the newest slot: nothing is counted twice, and nothing is lost.
    private void Advance(ulong now)
    {
        var slot = now / Slot;
        if (slot <= _newest) return;
        var passed = Math.Min(slot - _newest, Slots);
        for (ulong i = 0; i < passed; i++)
        {
            var at = (slot - i) % Slots;
            (_good[at], _bad[at]) = (0, 0);
        }

        _newest = slot;
    }
}
