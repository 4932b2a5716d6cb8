namespace OpenGradient.Engine.Serving;

/// <summary>
/// How many lanes of an engine have a worker that is not idle. Changed when a lane becomes busy or idle, hence not at all by
/// lanes under load. A guide, not a limit: reading it takes no lock and may be a moment late.
/// </summary>
internal sealed class ActiveLanes
{
    private int _count;

    public void Enter() => Interlocked.Increment(ref _count);

    public void Leave() => Interlocked.Decrement(ref _count);

    /// <summary>
    /// Over how many workers a lane should spread what it holds. All of them while the busy lanes are few; with more lanes than
    /// cores the cores are full anyway, and splitting a lane's rows only makes its batches smaller, which cost more per row.
    /// </summary>
    public int WorkersFor(int workers)
    {
        // Twice the cores: a lane that is busy at times must not make another one leave a core unused.
        var count = Volatile.Read(ref _count);
        return count <= 1 ? workers : Math.Clamp(2 * Environment.ProcessorCount / count, 1, workers);
    }
}
