namespace OpenGradient.Engine.LanguageModels.Tokenization.Models;

/// <summary>Which two tokens become which, and in what order of precedence. Open addressing: the lookup is the inner loop of encoding.</summary>
internal sealed class MergeTable
{
    private readonly ulong[] _pairs;
    private readonly int[] _ranks;
    private readonly int[] _tokens;
    private readonly int _shift;

    public MergeTable(int count)
    {
        var bits = 4;
        while (1 << bits < count * 2L) bits++;
        _shift = 64 - bits;
        _pairs = new ulong[1 << bits];
        _ranks = new int[1 << bits];
        _tokens = new int[1 << bits];
    }

    /// <summary>A pair that is there already takes the new rank, as in the reference.</summary>
    public void Add(int left, int right, int rank, int token)
    {
        var slot = Slot(Key(left, right));
        _pairs[slot] = Key(left, right);
        _ranks[slot] = rank;
        _tokens[slot] = token;
    }

    /// <summary>The rank of the pair, lower first, or <see cref="int.MaxValue"/> for a pair that stays two.</summary>
    public int Find(int left, int right, out int token)
    {
        var key = Key(left, right);
        var slot = Slot(key);
        token = _tokens[slot];
        return _pairs[slot] == key ? _ranks[slot] : int.MaxValue;
    }

    // One is added, so that zero is no pair's key.
    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32) + (uint)right + 1;

    private int Slot(ulong key)
    {
        var slot = (int)((key * 0x9E3779B97F4A7C15) >> _shift);
        while (_pairs[slot] != 0 && _pairs[slot] != key) slot = (slot + 1) & (_pairs.Length - 1);
        return slot;
    }
}
