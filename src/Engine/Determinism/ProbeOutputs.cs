namespace OpenGradient.Engine.Determinism;

/// <summary>Copies of one call's outputs, compared row by row. Immutable.</summary>
internal sealed class ProbeOutputs
{
    private readonly byte[][] _bytes;
    private readonly int _rows;

    private ProbeOutputs(byte[][] bytes, int rows)
    {
        _bytes = bytes;
        _rows = rows;
    }

    /// <param name="rows">How many rows the outputs hold; 1 where they cannot be divided.</param>
    public static ProbeOutputs Take(RowExecution execution, int rows)
    {
        var bytes = new byte[execution.OutputCount][];
        for (var i = 0; i < bytes.Length; i++) bytes[i] = execution.OutputBytes(i).ToArray();
        return new ProbeOutputs(bytes, rows);
    }

    /// <summary>The first output in which two rows differ, −1 for equal bits.</summary>
    public int Differs(int row, ProbeOutputs other, int otherRow)
    {
        for (var i = 0; i < _bytes.Length; i++)
            if (!Row(i, row).SequenceEqual(other.Row(i, otherRow))) return i;
        return -1;
    }

    private ReadOnlySpan<byte> Row(int output, int row)
    {
        var size = _bytes[output].Length / _rows;
        return _bytes[output].AsSpan(size * row, size);
    }
}
