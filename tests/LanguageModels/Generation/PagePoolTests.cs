using OpenGradient.Engine.LanguageModels.Generation.Cache;

namespace OpenGradient.Engine.LanguageModels.Tests.Generation;

public sealed class PagePoolTests
{
    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 40)];

    /// <summary>Sequences of few different tokens come, grow and go; after each step every page is exactly one of held, cached and free.</summary>
    [Theory, MemberData(nameof(Seeds))]
    public void Pool_RandomUse_LosesNoPage(int seed)
    {
        var random = new Random(seed);
        var (pageTokens, count) = (random.Next(1, 5), random.Next(4, 30));
        // A salt of zero hashes as well as any.
        var pool = new PagePool(count, pageTokens, 0);
        var contents = new Dictionary<int, string>();
        var sequences = new List<(SequencePages Pages, List<int> Tokens)>();
        for (var step = 0; step < 600; step++)
        {
            switch (random.Next(4))
            {
                case 0:
                    List<int> tokens = [.. Enumerable.Range(0, random.Next(1, 14)).Select(_ => random.Next(2))];
                    var fresh = new SequencePages(pool, random.Next(3) == 0 ? "a" : "", random.Next(5) > 0);
                    fresh.Match(tokens.ToArray());
                    Assert.True(fresh.Cached < tokens.Count);
                    // What was found is what was written there.
                    for (var page = 0; page < fresh.Count; page++) Assert.Equal(string.Join(' ', tokens.Take((page + 1) * pageTokens)), contents[fresh.Pages[page]]);
                    sequences.Add((fresh, tokens));
                    break;
                case 1 when sequences.Count > 0:
                    var at = random.Next(sequences.Count);
                    sequences[at].Pages.Release();
                    sequences.RemoveAt(at);
                    break;
                case 2 when sequences.Count > 0:
                    var (pages, own) = sequences[random.Next(sequences.Count)];
                    if (pages.Cached == own.Count) own.Add(random.Next(2));
                    var cached = random.Next(pages.Cached + 1, own.Count + 1);
                    if (!pages.TryReserve(cached))
                    {
                        Assert.Equal(0, pool.Available);
                        pages.Release();
                        break;
                    }

                    for (var page = pages.Cached / pageTokens; page < pages.Count; page++) contents[pages.Pages[page]] = string.Join(' ', own.Take((page + 1) * pageTokens));
                    pages.Advance(cached, own.ToArray());
                    break;
            }

            var holders = new int[count];
            foreach (var (pages, _) in sequences)
                foreach (var page in pages.Pages) holders[page]++;
            pool.Verify(holders);
        }

        foreach (var (pages, _) in sequences) pages.Release();
        pool.Verify(new int[count]);
        Assert.Equal(count, pool.Available);
    }

    [Fact]
    public void TryTake_NoneFree_ForgetsTheOldestCachedOne()
    {
        var pool = new PagePool(3, 2, 1);
        for (var i = 0; i < 3; i++)
        {
            var pages = new SequencePages(pool, "", true);
            Assert.True(pages.TryReserve(2));
            pages.Advance(2, [i, i]);
            pages.Release();
        }

        Assert.Equal((3, 3), (pool.Cached, pool.Available));
        Assert.True(pool.TryTake(out _));
        Assert.Equal([0, 2, 2], Enumerable.Range(0, 3).Select(i => Found(pool, i)));
    }

    /// <summary>Two sequences computed the same page: one of them is given back.</summary>
    [Fact]
    public void Publish_SameTokensTwice_HoldsOnePage()
    {
        var pool = new PagePool(4, 2, 1);
        var (first, second) = (new SequencePages(pool, "", true), new SequencePages(pool, "", true));
        Assert.True(first.TryReserve(2) && second.TryReserve(2));
        Assert.Equal(2, pool.Held);
        first.Advance(2, [8, 9]);
        second.Advance(2, [8, 9]);
        Assert.Equal(1, pool.Held);
        Assert.Equal(first.Pages, second.Pages);
    }

    /// <summary>A hash only says where to look.</summary>
    [Fact]
    public void Match_OtherTokensAfterTheSameBeginning_AreNotFound()
    {
        var pool = new PagePool(4, 2, 1);
        var pages = new SequencePages(pool, "", true);
        Assert.True(pages.TryReserve(4));
        pages.Advance(4, [1, 2, 3, 4]);
        Assert.Equal(4, Found(pool, [1, 2, 3, 4, 5]));
        Assert.Equal(2, Found(pool, [1, 2, 3, 5, 5]));
        Assert.Equal(0, Found(pool, [3, 4, 3, 4, 5]));
        // The last token is always computed: somebody wants its logits.
        Assert.Equal(2, Found(pool, [1, 2, 3, 4]));
    }

    private static int Found(PagePool pool, int token) => Found(pool, [token, token, 0]);

    private static int Found(PagePool pool, int[] tokens)
    {
        var pages = new SequencePages(pool, "", true);
        pages.Match(tokens);
        var found = pages.Cached;
        pages.Release();
        return found;
    }
}
