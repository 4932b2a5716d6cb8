namespace OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

/// <summary>A set of code points. Membership is worked out once per page of 256 and then looked up. Safe for concurrent calls.</summary>
internal sealed class CodePointSet(Func<int, bool> contains)
{
    private const int PageSize = 256;

    // Pages are written whole and never changed, so that two threads that make the same one do no harm.
    private readonly ulong[]?[] _pages = new ulong[(CodePoints.Highest + 1) / PageSize][];

    public bool Contains(int point)
    {
        var page = _pages[point >> 8] ?? Page(point >> 8);
        return (page[(point & 0xFF) >> 6] >> point & 1) != 0;
    }

    public static CodePointSet Of(int point) => new(each => each == point);

    public CodePointSet Not() => new(point => !Contains(point));

    private ulong[] Page(int index)
    {
        var page = new ulong[PageSize / 64];
        for (var low = 0; low < PageSize; low++)
            if (contains(index * PageSize + low)) page[low >> 6] |= 1UL << low;
        _pages[index] = page;
        return page;
    }
}
