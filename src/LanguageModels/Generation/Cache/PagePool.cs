namespace OpenGradient.Engine.LanguageModels.Generation.Cache;

/// <summary>
/// The pages of a runtime's cache: a hard bound. A page is free, held (by one sequence or, full and published, by several), or
/// cached: published and held by nobody, kept for a prompt that begins alike until its memory is wanted. Published pages form a
/// tree: a page stands for its own tokens after all tokens of its ancestors. Whoever holds a page holds its ancestors, so the
/// page that became unheld first is never an ancestor of a page that is still in the tree. Used by the scheduler's thread only.
/// </summary>
internal sealed class PagePool
{
    private const int None = -1;

    private readonly Page[] _pages;
    private readonly Stack<int> _free;
    private readonly Dictionary<(int Parent, ulong Hash), int> _published = [];
    private readonly int _pageTokens;
    private readonly ulong _salt;

    // Cached pages, the one that became unheld first in front.
    private int _oldest = None, _newest = None;

    /// <param name="salt">Unknown to callers, so that nobody can look for prompts whose hashes collide.</param>
    public PagePool(int pages, int pageTokens, ulong salt)
    {
        _pageTokens = pageTokens;
        _salt = salt;
        _pages = new Page[pages];
        for (var i = 0; i < pages; i++) _pages[i] = new Page { Parent = None, Older = None, Newer = None };
        // Lowest first: a test that reads a schedule sees what it expects.
        _free = new Stack<int>(Enumerable.Range(0, pages).Reverse());
    }

    public int Count => _pages.Length;

    public int PageTokens => _pageTokens;

    /// <summary>Pages that nobody holds but a later prompt may find.</summary>
    public int Cached { get; private set; }

    /// <summary>Pages that can be taken: free, or cached.</summary>
    public int Available => _free.Count + Cached;

    public int Held => Count - Available;

    public int PagesFor(int tokens) => (tokens + _pageTokens - 1) / _pageTokens;

    /// <summary>Takes a page with undefined contents, forgetting the oldest cached one when none is free. False when all are held.</summary>
    public bool TryTake(out int page)
    {
        if (!_free.TryPop(out page))
        {
            if (_oldest == None) return false;
            page = _oldest;
            Unlink(page);
            Withdraw(page);
        }

        _pages[page].Holders = 1;
        return true;
    }

    /// <summary>Gives a page back; one that was published stays cached.</summary>
    public void Release(int page)
    {
        ref var entry = ref _pages[page];
        if (entry.Holders <= 0) throw new InvalidOperationException($"page {page} is released and held by nobody");
        if (--entry.Holders > 0) return;
        if (entry.Tokens is null) _free.Push(page);
        else Append(page);
    }

    /// <summary>Takes the published pages that hold the beginning of these tokens, at most all but the last token.</summary>
    /// <param name="owner">Whose pages may be found; the same for pages that everybody may find.</param>
    /// <param name="pages">Receives them in order, held.</param>
    public void Match(ReadOnlySpan<int> tokens, string owner, List<int> pages)
    {
        var parent = None;
        for (var start = 0; start + _pageTokens < tokens.Length; start += _pageTokens)
        {
            var own = tokens.Slice(start, _pageTokens);
            if (Find(parent, own, owner) is not { } page) return;
            Hold(page);
            pages.Add(page);
            parent = page;
        }
    }

    /// <summary>
    /// Offers a page that has become full. Where the same tokens after the same ancestors are published already, that page is
    /// held instead and this one is given back: their contents are the same bits.
    /// </summary>
    /// <param name="parent">The sequence's page before, itself published; −1 for its first.</param>
    /// <returns>The page that the sequence has from now on, or −1 when it stays the sequence's own and cannot be found.</returns>
    public int Publish(int page, int parent, ReadOnlySpan<int> tokens, string owner)
    {
        if (Find(parent, tokens, owner) is { } existing)
        {
            Hold(existing);
            Release(page);
            return existing;
        }

        var key = (parent, Hash(tokens, parent == None ? owner : ""));
        // Another page with the same hash: rare enough to go without.
        if (!_published.TryAdd(key, page)) return None;
        ref var entry = ref _pages[page];
        entry.Parent = parent;
        entry.Hash = key.Item2;
        entry.Tokens = tokens.ToArray();
        entry.Owner = parent == None ? owner : "";
        return page;
    }

    /// <summary>Throws when a page is counted twice or lost. For tests.</summary>
    /// <param name="holders">How often each page is held, by page.</param>
    public void Verify(ReadOnlySpan<int> holders)
    {
        var cached = new HashSet<int>();
        for (var page = _oldest; page != None; page = _pages[page].Newer)
            if (!cached.Add(page)) throw new InvalidOperationException($"page {page} is cached twice");
        if (cached.Count != Cached) throw new InvalidOperationException($"{cached.Count} pages are cached, {Cached} are counted");
        var free = _free.ToHashSet();
        if (free.Count != _free.Count) throw new InvalidOperationException("a page is free twice");
        for (var page = 0; page < Count; page++)
        {
            var entry = _pages[page];
            if (entry.Holders != holders[page]) throw new InvalidOperationException($"page {page} is held {holders[page]} times, {entry.Holders} are counted");
            if ((entry.Holders > 0 ? 1 : 0) + (cached.Contains(page) ? 1 : 0) + (free.Contains(page) ? 1 : 0) != 1)
                throw new InvalidOperationException($"page {page} is not exactly one of held, cached and free");
            if (entry.Tokens is null || entry.Parent == None) continue;
            if (_pages[entry.Parent].Tokens is null) throw new InvalidOperationException($"page {page} outlived its parent {entry.Parent}");
            if (entry.Holders > 0 && _pages[entry.Parent].Holders == 0) throw new InvalidOperationException($"page {page} is held and its parent is not");
        }
    }

    private int? Find(int parent, ReadOnlySpan<int> tokens, string owner)
    {
        if (parent != None) owner = "";
        if (!_published.TryGetValue((parent, Hash(tokens, owner)), out var page)) return null;
        // A hash only says where to look.
        ref var entry = ref _pages[page];
        return entry.Owner == owner && tokens.SequenceEqual(entry.Tokens) ? page : null;
    }

    private void Hold(int page)
    {
        if (_pages[page].Holders++ == 0) Unlink(page);
    }

    private void Withdraw(int page)
    {
        ref var entry = ref _pages[page];
        _published.Remove((entry.Parent, entry.Hash));
        entry.Tokens = null;
        entry.Owner = "";
        entry.Parent = None;
    }

    private void Append(int page)
    {
        _pages[page].Older = _newest;
        _pages[page].Newer = None;
        if (_newest == None) _oldest = page;
        else _pages[_newest].Newer = page;
        _newest = page;
        Cached++;
    }

    private void Unlink(int page)
    {
        var (older, newer) = (_pages[page].Older, _pages[page].Newer);
        if (older == None) _oldest = newer;
        else _pages[older].Newer = newer;
        if (newer == None) _newest = older;
        else _pages[newer].Older = older;
        Cached--;
    }

    private ulong Hash(ReadOnlySpan<int> tokens, string owner)
    {
        var hash = _salt;
        foreach (var letter in owner) hash = Mix(hash ^ letter);
        foreach (var token in tokens) hash = Mix(hash ^ (uint)token);
        return hash;
    }

    private static ulong Mix(ulong value)
    {
        value *= 0x9E3779B97F4A7C15;
        value ^= value >> 32;
        value *= 0xD6E8FEB86659FD93;
        return value ^ (value >> 29);
    }

    private struct Page
    {
        public int Holders;
        public int Parent;
        public ulong Hash;
        public int[]? Tokens;
        public string Owner;
        public int Older;
        public int Newer;
    }
}
