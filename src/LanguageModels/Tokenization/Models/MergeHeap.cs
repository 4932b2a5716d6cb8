namespace OpenGradient.Engine.LanguageModels.Tokenization.Models;

/// <summary>Pairs that wait to be merged, by rank and then by position. A binary heap of one number each.</summary>
internal sealed class MergeHeap(int capacity)
{
    private ulong[] _entries = new ulong[Math.Max(16, capacity)];
    private int _count;

    /// <summary>Adds without order; <see cref="Order"/> has to follow.</summary>
    public void AddUnordered(int rank, int position)
    {
        if (_count == _entries.Length) Array.Resize(ref _entries, _count * 2);
        _entries[_count++] = ((ulong)(uint)rank << 32) | (uint)position;
    }

    public void Order()
    {
        for (var at = (_count / 2) - 1; at >= 0; at--) SiftDown(at);
    }

    public void Add(int rank, int position)
    {
        AddUnordered(rank, position);
        var at = _count - 1;
        var entry = _entries[at];
        while (at > 0)
        {
            var parent = (at - 1) / 2;
            if (_entries[parent] <= entry) break;
            _entries[at] = _entries[parent];
            at = parent;
        }

        _entries[at] = entry;
    }

    public bool TryTake(out int rank, out int position)
    {
        (rank, position) = (0, 0);
        if (_count == 0) return false;
        var first = _entries[0];
        _entries[0] = _entries[--_count];
        if (_count > 1) SiftDown(0);
        (rank, position) = ((int)(first >> 32), (int)(uint)first);
        return true;
    }

    private void SiftDown(int at)
    {
        var entry = _entries[at];
        while (true)
        {
            var child = (at * 2) + 1;
            if (child >= _count) break;
            if (child + 1 < _count && _entries[child + 1] < _entries[child]) child++;
            if (_entries[child] >= entry) break;
            _entries[at] = _entries[child];
            at = child;
        }

        _entries[at] = entry;
    }
}
