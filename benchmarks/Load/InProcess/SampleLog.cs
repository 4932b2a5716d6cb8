using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Load.InProcess;

/// <summary>One answered request as its caller got it; outputs are in the log's own memory.</summary>
internal struct Sample
{
    /// <summary>Stopwatch ticks: when the request was made, or in an open loop should have been.</summary>
    public long Start;
    public long End;
    public int Input;
    public int Row;

    /// <summary>The batch that the receipt is cut out of; null without a sealer. A receipt is not cut here: that is the caller's work in both kinds of loop, and checking does it.</summary>
    public SealedBatch? Batch;
}

/// <summary>What is kept per request for checking, allocated before anything is measured. Written by one caller at a time.</summary>
internal sealed class SampleLog(int capacity, int outputBytes)
{
    private readonly Sample[] _samples = new Sample[capacity];
    private readonly byte[] _outputs = new byte[capacity * (long)outputBytes];

    public int Count { get; private set; }

    public bool IsFull => Count == _samples.Length;

    public ReadOnlySpan<Sample> Samples => _samples.AsSpan(0, Count);

    /// <summary>The outputs of a sample, one after the other in the model's order.</summary>
    public Span<byte> Outputs(int index) => _outputs.AsSpan(index * outputBytes, outputBytes);

    public void Add(long start, int input, in InferenceResult result) => Set(Count++, start, input, result);

    /// <summary>For callers that number their requests themselves: each index is written once.</summary>
    public void Set(int index, long start, int input, in InferenceResult result)
    {
        result.CopyOutputs(Outputs(index));
        ref var sample = ref _samples[index];
        sample.Start = start;
        sample.Input = input;
        sample.Row = result.RowIndex;
        sample.Batch = result.Batch;
        sample.End = System.Diagnostics.Stopwatch.GetTimestamp();
    }

    /// <summary>Every index up to here has been written or left empty.</summary>
    public void Fill(int count) => Count = count;

    public void Clear()
    {
        Array.Clear(_samples, 0, Count);
        Count = 0;
    }
}
