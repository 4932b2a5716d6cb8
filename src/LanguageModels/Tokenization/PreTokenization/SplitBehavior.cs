using OpenGradient.Engine.LanguageModels.Tokenization.Patterns;

namespace OpenGradient.Engine.LanguageModels.Tokenization.PreTokenization;

/// <summary>What becomes of the matches that divide a text.</summary>
internal enum SplitBehavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous }

/// <summary>Divides one piece by matches.</summary>
internal static class Splitting
{
    public static SplitBehavior Read(FilePart part, SplitBehavior? otherwise = null)
    {
        var name = part.Text("behavior");
        return name switch
        {
            "Removed" => SplitBehavior.Removed,
            "Isolated" => SplitBehavior.Isolated,
            "MergedWithPrevious" => SplitBehavior.MergedWithPrevious,
            "MergedWithNext" => SplitBehavior.MergedWithNext,
            "Contiguous" => SplitBehavior.Contiguous,
            null when otherwise is { } behavior => behavior,
            _ => throw part.Refuse($"the behavior '{name}' is not understood"),
        };
    }

    /// <param name="invert">Whether what lies between the matches is what divides.</param>
    public static void Apply(in Piece piece, List<TextMatch> matches, SplitBehavior behavior, bool invert, List<Piece> result)
    {
        var parts = new List<(int Start, int End, bool Match)>((matches.Count * 2) + 1);
        var at = 0;
        foreach (var match in matches)
        {
            if (match.Start > at) parts.Add((at, match.Start, invert));
            if (match.End > match.Start) parts.Add((match.Start, match.End, !invert));
            at = match.End;
        }

        if (at < piece.Text.Length) parts.Add((at, piece.Text.Length, invert));
        switch (behavior)
        {
            case SplitBehavior.Removed:
                parts.RemoveAll(part => part.Match);
                break;
            case SplitBehavior.MergedWithPrevious:
                parts = Merge(parts, static (last, part) => part.Match && !last.Match);
                break;
            case SplitBehavior.MergedWithNext:
                parts = MergeBackwards(parts);
                break;
            case SplitBehavior.Contiguous:
                parts = Merge(parts, static (last, part) => part.Match == last.Match);
                break;
            default:
                break;
        }

        foreach (var (start, end, _) in parts) result.Add(piece.Slice(start, end));
    }

    private static List<(int Start, int End, bool Match)> Merge(
        List<(int Start, int End, bool Match)> parts, Func<(int Start, int End, bool Match), (int Start, int End, bool Match), bool> joins)
    {
        var merged = new List<(int Start, int End, bool Match)>(parts.Count);
        foreach (var part in parts)
        {
            if (merged.Count > 0 && joins(merged[^1], part)) merged[^1] = (merged[^1].Start, part.End, part.Match);
            else merged.Add(part);
        }

        return merged;
    }

    private static List<(int Start, int End, bool Match)> MergeBackwards(List<(int Start, int End, bool Match)> parts)
    {
        var merged = new List<(int Start, int End, bool Match)>(parts.Count);
        for (var index = parts.Count - 1; index >= 0; index--)
        {
            var part = parts[index];
            if (merged.Count > 0 && part.Match && !merged[^1].Match) merged[^1] = (part.Start, merged[^1].End, true);
            else merged.Add(part);
        }

        merged.Reverse();
        return merged;
    }
}
