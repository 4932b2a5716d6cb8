using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>
/// Something besides answers that needs the runtime: an embedding, a replay. It gets its pages at once and keeps them until it
/// ends, and makes one call of the runtime between two steps, so that answers go on beside it.
/// </summary>
internal abstract class CacheWork
{
    private int _isCancelled;

    /// <summary>Tokens that it needs places for.</summary>
    public abstract int Tokens { get; }

    /// <summary>Completes when it has ended, however.</summary>
    public abstract Task Completion { get; }

    public bool IsCancelled => Volatile.Read(ref _isCancelled) != 0;

    /// <summary>Makes one call. True when there is nothing more to do.</summary>
    public abstract bool Advance(ITokenRuntime runtime, ReadOnlyMemory<int> pages);

    /// <summary>Ends it without a result.</summary>
    public abstract void Fail(Exception error);

    public void Cancel() => Volatile.Write(ref _isCancelled, 1);
}
