namespace OpenGradient.Engine;

/// <summary>A result's outputs in managed memory that lives as long as its pooled request. A result that is never disposed is garbage, not a leak.</summary>
internal sealed class OutputStore(int count)
{
    private readonly long[][] _shapes = NewShapes(count);
    private readonly (int Start, int Length)[] _slices = new (int, int)[count];
    private byte[] _data = [];
    private int _used;

    public ReadOnlySpan<long> Shape(int index) => _shapes[index];

    public ReadOnlySpan<byte> Bytes(int index) => _data.AsSpan(_slices[index].Start, _slices[index].Length);

    /// <summary>Starts a new set of outputs that together take <paramref name="bytes"/>.</summary>
    public void Begin(long bytes)
    {
        // Each output starts at a multiple of 8, so that its elements are aligned.
        var needed = checked((int)(bytes + (8 * count)));
        if (_data.Length < needed) _data = GC.AllocateUninitializedArray<byte>(needed);
        _used = 0;
    }

    /// <summary>Copies one output out of the batch.</summary>
    /// <param name="rows">Replaces the first dimension; −1 to keep it.</param>
    public unsafe void Set(int index, ReadOnlySpan<long> shape, int rows, byte* data, int length)
    {
        if (_shapes[index].Length != shape.Length) _shapes[index] = new long[shape.Length];
        shape.CopyTo(_shapes[index]);
        if (rows >= 0) _shapes[index][0] = rows;
        new ReadOnlySpan<byte>(data, length).CopyTo(_data.AsSpan(_used));
        _slices[index] = (_used, length);
        _used = (_used + length + 7) & ~7;
    }

    private static long[][] NewShapes(int count)
    {
        var shapes = new long[count][];
        Array.Fill(shapes, []);
        return shapes;
    }
}
