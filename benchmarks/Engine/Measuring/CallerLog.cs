using System.Diagnostics;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Benchmarks.Measuring;

/// <summary>One answered request as its caller got it.</summary>
internal struct Answered
{
    /// <summary>Stopwatch ticks.</summary>
    public long Start, End;

    /// <summary>Which row was sent.</summary>
    public int Row;

    /// <summary>Which receipt of the batch is this request's.</summary>
    public int Receipt;

    /// <summary>Null without a sealer. The receipt is cut out of it while checking.</summary>
    public SealedBatch? Batch;
}

/// <summary>What one caller keeps for checking. Reserved before a window; a caller that is much luckier than others grows its log within it.</summary>
internal sealed class CallerLog(int outputBytes)
{
    private Answered[] _answers = [];
    private byte[] _outputs = [];

    public int Count { get; private set; }

    public ReadOnlySpan<Answered> Answers => _answers.AsSpan(0, Count);

    public ReadOnlySpan<byte> Outputs(int index) => _outputs.AsSpan(index * outputBytes, outputBytes);

    public void Reserve(int capacity)
    {
        if (capacity <= _answers.Length) return;
        _answers = new Answered[capacity];
        _outputs = new byte[(long)capacity * outputBytes];
    }

    public void Add(long start, int row, in InferenceResult result)
    {
        if (Count == _answers.Length) Grow();
        result.CopyOutputs(_outputs.AsSpan(Count * outputBytes, outputBytes));
        ref var answer = ref _answers[Count++];
        answer.Start = start;
        answer.Row = row;
        answer.Receipt = result.RowIndex;
        answer.Batch = result.Batch;
        answer.End = Stopwatch.GetTimestamp();
    }

    public void Clear()
    {
        Array.Clear(_answers, 0, Count);
        Count = 0;
    }

    private void Grow()
    {
        var capacity = Math.Max(16, Count * 2);
        Array.Resize(ref _answers, capacity);
        Array.Resize(ref _outputs, capacity * outputBytes);
    }
}
