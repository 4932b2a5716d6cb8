namespace OpenGradient.Engine.LanguageModels.Generation.Cache;

/// <summary>One sequence's pages, in order, and how many of its tokens their contents hold. Used by the scheduler's thread only.</summary>
internal sealed class SequencePages(PagePool pool, string owner, bool isPublished)
{
    private readonly List<int> _pages = [];

    // The sequence's own table, handed to the runtime for the duration of a step.
    private int[] _table = [];

    // Of the pages, from the first on, those that are in the pool's tree.
    private int _published;
    private readonly bool _mayPublish = isPublished;
    private bool _isPublishing = isPublished;

    /// <summary>Tokens whose keys and values are in the cache.</summary>
    public int Cached { get; private set; }

    public IReadOnlyList<int> Pages => _pages;

    public int Count => _pages.Count;

    public ReadOnlyMemory<int> Table
    {
        get
        {
            if (_table.Length < _pages.Count) _table = new int[Math.Max(8, 2 * _pages.Count)];
            _pages.CopyTo(_table);
            return _table.AsMemory(0, _pages.Count);
        }
    }

    /// <summary>Finds the beginning of these tokens in the cache. Only of a sequence that holds nothing.</summary>
    public void Match(ReadOnlySpan<int> tokens)
    {
        if (!_isPublishing) return;
        pool.Match(tokens, owner, _pages);
        _published = _pages.Count;
        Cached = _published * PageTokens;
    }

    /// <summary>Takes pages for so many tokens, one by one: what was taken stays when there are no more.</summary>
    public bool TryReserve(int tokens)
    {
        var needed = pool.PagesFor(tokens);
        while (_pages.Count < needed)
        {
            if (!pool.TryTake(out var page)) return false;
            _pages.Add(page);
        }

        return true;
    }

    /// <summary>A step succeeded: so many tokens are in the cache now.</summary>
    /// <param name="tokens">The sequence's tokens, at least as many.</param>
    public void Advance(int cached, ReadOnlySpan<int> tokens)
    {
        Cached = cached;
        while (_isPublishing && (_published + 1) * PageTokens <= cached)
        {
            var page = pool.Publish(_pages[_published], _published == 0 ? -1 : _pages[_published - 1], tokens.Slice(_published * PageTokens, PageTokens), owner);
            // Its descendants could not be found without it.
            if (page < 0) _isPublishing = false;
            else _pages[_published++] = page;
        }
    }

    /// <summary>Gives everything back, the last page first, so that the beginning, which is likelier to be wanted, is forgotten last.</summary>
    public void Release()
    {
        for (var i = _pages.Count - 1; i >= 0; i--) pool.Release(_pages[i]);
        _pages.Clear();
        _published = 0;
        _isPublishing = _mayPublish;
        Cached = 0;
    }

    private int PageTokens => pool.PageTokens;
}
