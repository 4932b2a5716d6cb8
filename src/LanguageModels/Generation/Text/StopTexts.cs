using System.Text;

namespace OpenGradient.Engine.LanguageModels.Generation.Text;

/// <summary>Holds text back until it is certain not to begin a stop text. One per answer; used by one thread at a time.</summary>
internal sealed class StopTexts(IReadOnlyList<string> stops)
{
    private readonly StringBuilder _held = new();

    /// <summary>The stop text that was found.</summary>
    public string? Found { get; private set; }

    /// <summary>Takes more text and gives what is certain to be part of the answer. After a stop text nothing is.</summary>
    public string Append(string text)
    {
        if (Found is not null) return "";
        if (stops.Count == 0) return text;
        if (text.Length == 0) return "";
        _held.Append(text);
        var held = _held.ToString();
        _held.Clear();
        if (FirstStop(held) is { } at) return held[..at];
        var keep = LongestBeginning(held);
        _held.Append(held, held.Length - keep, keep);
        return held[..^keep];
    }

    /// <summary>No more text comes: what is held is part of the answer.</summary>
    public string Finish()
    {
        var rest = _held.ToString();
        _held.Clear();
        return rest;
    }

    /// <summary>Where the earliest stop text begins; of several that begin there, the first that was asked for.</summary>
    private int? FirstStop(string text)
    {
        int? first = null;
        foreach (var stop in stops)
        {
            var at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at < 0 || at >= (first ?? int.MaxValue)) continue;
            (first, Found) = (at, stop);
        }

        return first;
    }

    /// <summary>Length of the longest end of the text that a stop text begins with.</summary>
    private int LongestBeginning(string text)
    {
        var longest = 0;
        foreach (var stop in stops)
        {
            var length = Math.Min(stop.Length - 1, text.Length);
            while (length > longest && !text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length))) length--;
            longest = Math.Max(longest, length);
        }

        return longest;
    }
}
