using System.Text;

namespace OpenGradient.Engine.LanguageModels.Tokenization.Normalization;

/// <summary>
/// Unicode normalization (UAX #15). Our own, because without ICU the base library returns text as it is; see ADR 0019.
/// </summary>
internal sealed class UnicodeForm(bool compose, bool compatible) : INormalizer
{
    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TailBase = 0x11A7;
    private const int Leads = 19, Vowels = 21, Tails = 28;

    public string Normalize(string text)
    {
        // Below U+00A0 nothing is changed by any form, below U+0300 nothing by composition alone.
        var first = text.AsSpan().IndexOfAnyExceptInRange('\0', compose && !compatible ? '\u02FF' : '\u009F');
        if (first < 0) return text;
        var points = Decompose(text);
        Order(points);
        var count = compose ? Compose(points) : points.Length;
        var result = new StringBuilder(text.Length);
        Span<char> units = stackalloc char[2];
        for (var index = 0; index < count; index++) result.Append(units[..new Rune(points[index]).EncodeToUtf16(units)]);
        return result.ToString();
    }

    private int[] Decompose(string text)
    {
        var points = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var point = rune.Value;
            if (point < 0xA0) points.Add(point);
            else if (point is >= HangulBase and < HangulBase + (Leads * Vowels * Tails)) DecomposeHangul(point - HangulBase, points);
            else if (UnicodeData.Decomposition(point, compatible) is { } parts) points.AddRange(parts);
            else points.Add(point);
        }

        return [.. points];
    }

    private static void DecomposeHangul(int index, List<int> points)
    {
        points.Add(LeadBase + (index / (Vowels * Tails)));
        points.Add(VowelBase + (index % (Vowels * Tails) / Tails));
        if (index % Tails != 0) points.Add(TailBase + (index % Tails));
    }

    // Marks in a row are sorted by class and keep their order within one. A sort of keys, so that a long row costs no more than a sort.
    private static void Order(int[] points)
    {
        for (var start = 0; start < points.Length; start++)
        {
            if (UnicodeData.Class(points[start]) == 0) continue;
            var end = start + 1;
            while (end < points.Length && UnicodeData.Class(points[end]) != 0) end++;
            if (end - start > 1) points[start..end].OrderBy(UnicodeData.Class).ToArray().CopyTo(points, start);
            start = end;
        }
    }

    // In place; returns how many are left. A mark joins the last starter when nothing of its class or above lies between.
    private static int Compose(int[] points)
    {
        int kept = 0, starter = -1, lastClass = -1;
        foreach (var point in points)
        {
            var mark = UnicodeData.Class(point);
            if (starter >= 0 && lastClass < mark && Joined(points[starter], point) is { } joined)
            {
                points[starter] = joined;
                continue;
            }

            if (mark == 0) starter = kept;
            lastClass = mark == 0 ? -1 : mark;
            points[kept++] = point;
        }

        return kept;
    }

    private static int? Joined(int first, int second)
    {
        if (first is >= LeadBase and < LeadBase + Leads && second is >= VowelBase and < VowelBase + Vowels)
            return HangulBase + ((((first - LeadBase) * Vowels) + second - VowelBase) * Tails);
        if (first is >= HangulBase and < HangulBase + (Leads * Vowels * Tails) && (first - HangulBase) % Tails == 0 && second is > TailBase and < TailBase + Tails)
            return first + second - TailBase;
        return UnicodeData.Composition(first, second);
    }
}
