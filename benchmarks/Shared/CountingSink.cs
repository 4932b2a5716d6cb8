using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>Accepts every batch and forgets it: figures taken with it hold no durability.</summary>
internal sealed class CountingSink : ISealedBatchSink
{
    private long _batches;

    public long Batches => Volatile.Read(ref _batches);

    public bool TryAccept(SealedBatch batch)
    {
        Interlocked.Increment(ref _batches);
        return true;
    }
}
