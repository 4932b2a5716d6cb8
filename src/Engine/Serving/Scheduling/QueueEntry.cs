namespace OpenGradient.Engine.Serving.Scheduling;

/// <summary>What the scheduler knows of a waiting request. Every field is guarded by the lock of the scheduler's owner.</summary>
internal abstract class QueueEntry
{
    public int Rows { get; set; }

    public RequestPriority Priority { get; set; }

    /// <summary>Whose queue it counts in, null while it counts in none.</summary>
    public CallerQueue? Queue { get; set; }

    /// <summary>Whether it is linked into <see cref="Queue"/>; false while it is on its way there.</summary>
    public bool IsLinked { get; set; }

    public QueueEntry? Before { get; set; }

    public QueueEntry? Behind { get; set; }
}
