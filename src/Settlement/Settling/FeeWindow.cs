namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>
/// The base fees of the last blocks that were looked at, and whether one is cheap among them. Not kept over a restart: it is
/// learned again within the same number of blocks, and until then nothing is called cheap. Used by the settler alone.
/// </summary>
internal sealed class FeeWindow(double share)
{
    /// <summary>Blocks. 256: some four minutes of a fast chain, fifty of Ethereum; long enough for a tide, short enough to follow it.</summary>
    public const int Size = 256;

    /// <summary>Blocks before anything is judged.</summary>
    public const int Least = 32;

    private readonly Queue<UInt128> _fees = new();
    private ulong _newest;
    private UInt128 _cheap;
    private UInt128 _median;

    public void Add(ulong block, UInt128 fee)
    {
        if (block <= _newest && _fees.Count > 0) return;
        _newest = block;
        _fees.Enqueue(fee);
        if (_fees.Count > Size) _fees.Dequeue();
        var sorted = _fees.Order().ToArray();
        (_cheap, _median) = (sorted[(int)(share * (sorted.Length - 1))], sorted[sorted.Length / 2]);
    }

    /// <summary>Among the cheapest, and a tenth below the median: where fees stand still none of them is cheap, and waiting for one would be in vain.</summary>
    public bool IsCheap(UInt128 fee) => _fees.Count >= Least && fee <= _cheap && fee <= _median - (_median / 10);
}
