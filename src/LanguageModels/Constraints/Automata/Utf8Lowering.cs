namespace OpenGradient.Engine.LanguageModels.Constraints.Automata;

/// <summary>Turns moves over code points into moves over their UTF-8 bytes, sharing states between equal tails.</summary>
internal sealed class Utf8Lowering(TableAutomaton.Builder builder)
{
    // What can be said without an escape: quotes, backslashes and control characters cannot.
    private static readonly (int Low, int High)[] Ascii = [(' ', '!'), ('#', '['), (']', 0x7F)];

    /// <summary>States that read the rest of a block of code points which lead to one state. Blocks of one size are alike unless they are clipped.</summary>
    private readonly Dictionary<(int To, int Bytes, int ClippedStart), int> _uniform = [];

    /// <summary>Adds moves to a state that stands between characters. Quotes, backslashes, control characters and surrogates are left out.</summary>
    /// <param name="moves">Sorted and disjoint; targets are indexes into <paramref name="states"/>.</param>
    public void Add(int from, ReadOnlySpan<(int Low, int High, int To)> moves, int[] states)
    {
        var ranges = new List<(int Low, int High, int To)>(moves.Length);
        foreach (var (low, high, to) in moves) ranges.Add((low, high, states[to]));
        foreach (var (low, high, to) in ranges)
        {
            foreach (var (first, last) in Ascii)
                if (Math.Max(low, first) <= Math.Min(high, last)) builder.On(from, Math.Max(low, first), Math.Min(high, last), to);
        }

        Leads(from, ranges, 0xC2, 0xDF, 0xC0, 1);
        Leads(from, ranges, 0xE0, 0xEF, 0xE0, 2);
        Leads(from, ranges, 0xF0, 0xF4, 0xF0, 3);
    }

    private void Leads(int from, List<(int Low, int High, int To)> ranges, int firstLead, int lastLead, int mark, int bytes)
    {
        var row = new Row(builder, from);
        for (var lead = firstLead; lead <= lastLead; lead++) row.Add(lead, Tail(ranges, (lead - mark) << (6 * bytes), bytes, bytes));
        row.End();
    }

    /// <summary>The state that reads the last bytes of the code points of a block; -1 where none leads anywhere.</summary>
    /// <param name="left">How many bytes are left: the block has 64 to the power of that many code points.</param>
    /// <param name="whole">How many bytes follow the lead byte.</param>
    private int Tail(List<(int Low, int High, int To)> ranges, int start, int left, int whole)
    {
        var end = start + (1 << (6 * left)) - 1;
        // A lead byte's block is clipped where a form would be overlong, a surrogate, or beyond the last code point; all four edges are edges of blocks of 64.
        var (first, last) = (Math.Max(start, whole switch { 1 => 0x80, 2 => 0x800, _ => 0x10000 }), Math.Min(end, CodePointSet.Last));
        if (start < 0xD800 && end >= 0xD800 && whole == 2) last = Math.Min(last, 0xD7FF);
        if (first > last || (start >= 0xD800 && end <= 0xDFFF)) return -1;
        var touched = -1;
        for (var i = 0; i < ranges.Count && touched < 0; i++)
            if (ranges[i].Low <= last && ranges[i].High >= first) touched = i;
        if (touched < 0) return -1;
        if (left == 0) return ranges[touched].To;
        if (ranges[touched].Low <= first && ranges[touched].High >= last)
        {
            var key = (ranges[touched].To, left, first != start || last != end ? start : -1);
            if (!_uniform.TryGetValue(key, out var known)) _uniform[key] = known = Children(ranges, start, left, whole);
            return known;
        }

        return Children(ranges, start, left, whole);
    }

    private int Children(List<(int Low, int High, int To)> ranges, int start, int left, int whole)
    {
        var state = builder.Add();
        var row = new Row(builder, state);
        for (var next = 0; next < 64; next++) row.Add(0x80 + next, Tail(ranges, start + (next << (6 * (left - 1))), left - 1, whole));
        row.End();
        return state;
    }

    /// <summary>Joins neighbouring bytes that lead to one state.</summary>
    private struct Row(TableAutomaton.Builder builder, int from)
    {
        private int _first;
        private int _last = -1;
        private int _to = -1;

        public void Add(int value, int to)
        {
            if (to == _to && value == _last + 1)
            {
                _last = value;
                return;
            }

            End();
            (_first, _last, _to) = (value, value, to);
        }

        public readonly void End()
        {
            if (_to >= 0) builder.On(from, _first, _last, _to);
        }
    }
}
