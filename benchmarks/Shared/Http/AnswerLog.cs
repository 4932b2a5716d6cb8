namespace OpenGradient.Engine.Benchmarks;

/// <summary>Answers as they came over one connection, kept for checking in memory that is allocated before anything is measured.</summary>
internal sealed class AnswerLog(int answers, int bytes)
{
    private readonly (long Start, long End, int Input, int At, int Length)[] _answers = new (long, long, int, int, int)[answers];
    private readonly byte[] _bodies = GC.AllocateUninitializedArray<byte>(bytes);
    private int _used;

    public int Count { get; private set; }

    public (long Start, long End, int Input) this[int index] => (_answers[index].Start, _answers[index].End, _answers[index].Input);

    public ReadOnlyMemory<byte> Body(int index) => _bodies.AsMemory(_answers[index].At, _answers[index].Length);

    /// <exception cref="InvalidOperationException">The log is full.</exception>
    public void Add(long start, long end, int input, ReadOnlySpan<byte> body)
    {
        if (Count == _answers.Length || body.Length > _bodies.Length - _used) throw new InvalidOperationException("a connection's log is full; use a shorter window");
        body.CopyTo(_bodies.AsSpan(_used));
        _answers[Count++] = (start, end, input, _used, body.Length);
        _used += body.Length;
    }

    public void Clear() => (Count, _used) = (0, 0);
}
