using System.Text;

namespace OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

/// <summary>Code points that are one letter when case does not count: simple folding, one code point for one.</summary>
internal static class CaseFolding
{
    private static readonly Lazy<Dictionary<int, int[]>> Groups = new(Build);

    /// <summary>All that equal this code point without regard to case, itself among them.</summary>
    public static ReadOnlySpan<int> Variants(int point) => Groups.Value.TryGetValue(point, out var group) ? group : new[] { point };

    private static Dictionary<int, int[]> Build()
    {
        var groups = new Dictionary<int, List<int>>();
        for (var point = 0; point <= 0x1E943; point++)
        {
            if (!Rune.IsValid(point)) continue;
            var key = Key(point);
            if (!groups.TryGetValue(key, out var group)) groups[key] = group = [];
            group.Add(point);
        }

        var folded = new Dictionary<int, int[]>();
        foreach (var group in groups.Values.Where(group => group.Count > 1))
        {
            int[] all = [.. group];
            foreach (var point in all) folded[point] = all;
        }

        return folded;
    }

    // The base library maps neither of these two in invariant mode, because they do not map back.
    private static int Key(int point) => point switch
    {
        0x017F => 's',
        0x0131 or 0x0130 => point,
        _ => Rune.ToLowerInvariant(Rune.ToUpperInvariant(new Rune(point))).Value,
    };
}
