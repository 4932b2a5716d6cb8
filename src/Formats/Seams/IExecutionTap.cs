namespace OpenGradient.Engine.Formats;

/// <summary>Sees what was executed and sealed while its memory is still there, so that a later audit can execute it again. Safe for concurrent calls.</summary>
public interface IExecutionTap
{
    /// <summary>
    /// Called on the thread that executes batches, once per sealed batch of a model whose rows can be executed again (class A
    /// or B), before its callers are answered: copies what it keeps and returns.
    /// </summary>
    /// <param name="rows">By row; everything they point to is borrowed for the duration of the call.</param>
    void Sealed(SealedBatch batch, ReadOnlySpan<RowView> rows);
}

/// <summary>The epoch's key signs nothing more: something that it signed, or would have, did not hold. A restart begins a new epoch.</summary>
public sealed class EpochHaltedException : Exception
{
    public EpochHaltedException(string message) : base(message) { }

    public EpochHaltedException() { }

    public EpochHaltedException(string message, Exception innerException) : base(message, innerException) { }
}
