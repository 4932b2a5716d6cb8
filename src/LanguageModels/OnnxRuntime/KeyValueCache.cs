using System.Runtime.InteropServices;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.LanguageModels.OnnxRuntime;

/// <summary>
/// Keys and values of every layer in buffers [slots, heads, capacity, size] that are past and present at once. ONNX Runtime takes
/// sequences that lie side by side, so pages are names: which slot a page is in changes, and <see cref="Gather"/> moves slots
/// together before a step. Owned by one thread at a time.
/// </summary>
internal sealed unsafe class KeyValueCache : IDisposable
{
    private readonly nint[] _buffers;
    private readonly nint[] _keys;
    private readonly nint[] _values;
    private readonly int[] _slotOf;
    private readonly int[] _pageIn;
    private readonly int[] _lengths;
    private readonly long _positionBytes;
    private readonly long _headBytes;
    private readonly int _heads;

    public KeyValueCache(GenAiConfig config, int capacity, int slots, ElementType type)
    {
        (Slots, Capacity, _heads) = (slots, capacity, config.KeyValueHeads);
        _positionBytes = (long)config.HeadSize * ElementTypes.SizeOf(type);
        _headBytes = _positionBytes * capacity;
        SlotBytes = _headBytes * config.KeyValueHeads;
        _slotOf = [.. Enumerable.Range(0, slots)];
        _pageIn = [.. Enumerable.Range(0, slots)];
        _lengths = new int[slots];
        _buffers = new nint[2 * config.Layers];
        _keys = new nint[config.Layers];
        _values = new nint[config.Layers];
        for (var i = 0; i < _buffers.Length; i++)
        {
            // Zeroed by the system when it is first touched: what no sequence reaches takes no memory.
            _buffers[i] = (nint)NativeMemory.AllocZeroed((nuint)((SlotBytes * slots) + NativeBuffer.Alignment));
            (i % 2 == 0 ? _keys : _values)[i / 2] = (_buffers[i] + NativeBuffer.Alignment - 1) & -(nint)NativeBuffer.Alignment;
        }
    }

    public int Slots { get; }

    /// <summary>Positions of a slot.</summary>
    public int Capacity { get; }

    /// <summary>Of one layer's keys, or values.</summary>
    public long SlotBytes { get; }

    public static long PageBytes(GenAiConfig config, int capacity, ElementType type) =>
        2L * config.Layers * config.KeyValueHeads * capacity * config.HeadSize * ElementTypes.SizeOf(type);

    /// <summary>Bytes of positions that were moved so far.</summary>
    public long MovedBytes { get; private set; }

    public byte* Keys(int layer, int slot) => (byte*)_keys[layer] + (slot * SlotBytes);

    public byte* Values(int layer, int slot) => (byte*)_values[layer] + (slot * SlotBytes);

    public int SlotOf(int page) => _slotOf[page];

    /// <summary>Says how many positions of a page are worth keeping.</summary>
    public void SetLength(int page, int length) => _lengths[_slotOf[page]] = length;

    /// <summary>Moves the pages into neighbouring slots, in any order, where they are not already.</summary>
    /// <param name="pages">Different ones.</param>
    /// <returns>The first of the slots.</returns>
    public int Gather(ReadOnlySpan<int> pages)
    {
        var wanted = new bool[Slots];
        foreach (var page in pages) wanted[_slotOf[page]] = true;
        var first = CheapestWindow(wanted, pages.Length);
        var hole = first;
        for (var slot = 0; slot < Slots; slot++)
        {
            if (!wanted[slot] || (slot >= first && slot < first + pages.Length)) continue;
            while (wanted[hole]) hole++;
            Swap(slot, hole);
            hole++;
        }

        return first;
    }

    public void Dispose()
    {
        foreach (ref var buffer in _buffers.AsSpan())
        {
            NativeMemory.Free((void*)buffer);
            buffer = 0;
        }

        GC.SuppressFinalize(this);
    }

    ~KeyValueCache() => Dispose();

    /// <summary>Where the fewest positions change places: of wanted slots outside of the window and of unwanted ones inside.</summary>
    private int CheapestWindow(bool[] wanted, int width)
    {
        long cost = 0;
        for (var slot = 0; slot < Slots; slot++) cost += Cost(slot, inside: slot < width);
        var (best, first) = (cost, 0);
        for (var end = width; end < Slots; end++)
        {
            cost += Cost(end, true) - Cost(end, false) + Cost(end - width, false) - Cost(end - width, true);
            if (cost < best) (best, first) = (cost, end - width + 1);
        }

        return first;

        long Cost(int slot, bool inside) => inside != wanted[slot] ? _lengths[slot] : 0;
    }

    private void Swap(int left, int right)
    {
        var bytes = Math.Max(_lengths[left], _lengths[right]) * _positionBytes;
        for (var layer = 0; layer < _keys.Length; layer++)
        {
            for (var head = 0; head < _heads; head++)
            {
                Exchange(Keys(layer, left) + (head * _headBytes), Keys(layer, right) + (head * _headBytes), bytes);
                Exchange(Values(layer, left) + (head * _headBytes), Values(layer, right) + (head * _headBytes), bytes);
            }
        }

        MovedBytes += bytes * _heads * _buffers.Length;
        (_lengths[left], _lengths[right]) = (_lengths[right], _lengths[left]);
        (_pageIn[left], _pageIn[right]) = (_pageIn[right], _pageIn[left]);
        (_slotOf[_pageIn[left]], _slotOf[_pageIn[right]]) = (left, right);
    }

    private static void Exchange(byte* left, byte* right, long bytes)
    {
        const int Block = 4096;
        Span<byte> held = stackalloc byte[Block];
        for (long at = 0; at < bytes; at += Block)
        {
            var length = (int)Math.Min(Block, bytes - at);
            var one = new Span<byte>(left + at, length);
            var other = new Span<byte>(right + at, length);
            one.CopyTo(held);
            other.CopyTo(one);
            held[..length].CopyTo(other);
        }
    }
}
