using OpenGradient.Engine.LanguageModels.Diagnostics;
using OpenGradient.Engine.LanguageModels.Generation.Cache;
using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>Embeddings and replays: one at a time, in order, one call of the runtime per turn. Used by the scheduler's thread only.</summary>
internal sealed class WorkQueue(ITokenRuntime runtime, PagePool pool, ModelCounters counters, Action left)
{
    private readonly Queue<CacheWork> _waiting = new();
    private readonly List<int> _pages = [];
    private CacheWork? _current;
    private int[] _table = [];

    /// <summary>Pages are wanted that sequences hold: none is begun until they have ended.</summary>
    public bool IsBlocked => _current is null && _waiting.Count > 0;

    public IReadOnlyList<int> Pages => _pages;

    public void Add(CacheWork work) => _waiting.Enqueue(work);

    /// <summary>Gives pages to the next one, if there are enough.</summary>
    public void Begin()
    {
        while (_current is null && _waiting.TryPeek(out var next))
        {
            if (next.IsCancelled)
            {
                _waiting.Dequeue();
                left();
                next.Fail(new OperationCanceledException());
                continue;
            }

            var needed = pool.PagesFor(next.Tokens);
            if (pool.Available < needed) return;
            while (_pages.Count < needed && pool.TryTake(out var page)) _pages.Add(page);
            _table = [.. _pages];
            _current = _waiting.Dequeue();
            left();
        }
    }

    /// <summary>Makes one call of the current one. False when there is none.</summary>
    public bool Advance()
    {
        if (_current is not { } work) return false;
        try
        {
            if (work.IsCancelled) work.Fail(new OperationCanceledException());
            else if (!work.Advance(runtime, _table)) return true;
            else if (work is EmbeddingWork) counters.Embeddings++;
            else counters.Replays++;
        }
        catch (Exception error)
        {
            counters.FailedSteps++;
            work.Fail(new GenerationException(Failures.Runtime(error)));
        }

        End();
        return true;
    }

    public void EndAll(GenerationFailure failure)
    {
        _current?.Fail(new GenerationException(failure));
        End();
        while (_waiting.TryDequeue(out var work))
        {
            left();
            work.Fail(new GenerationException(failure));
        }
    }

    private void End()
    {
        _current = null;
        foreach (var page in _pages) pool.Release(page);
        _pages.Clear();
    }
}
