using System.Text;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>
/// The models whose receipts have figures of their own; all others share one. Bounded, because names come from statements,
/// also from those that an earlier configuration made or that come back from their holders. Guarded by the state's lock.
/// </summary>
internal sealed class ModelTable
{
    /// <summary>32: more than a host serves at once, and some 4,000 lines of metrics.</summary>
    public const int Most = 32;

    /// <summary>Bytes. What people and label stores can still read; a longer name is among the others.</summary>
    public const int LongestName = 128;

    private readonly List<ModelSeries> _own = [];

    public ModelSeries Other { get; } = new(ModelGap.Other, []);

    /// <summary>Those with a place of their own, then the others.</summary>
    public IEnumerable<ModelSeries> All => _own.Append(Other);

    /// <param name="name">UTF-8; a name without a place gets the next free one.</param>
    public ModelSeries Of(ReadOnlySpan<byte> name)
    {
        foreach (var series in _own)
            if (series.Utf8.SequenceEqual(name)) return series;
        if (_own.Count == Most || name.IsEmpty || name.Length > LongestName) return Other;
        var added = new ModelSeries(Encoding.UTF8.GetString(name), name.ToArray());
        _own.Add(added);
        return added;
    }

    /// <summary>Where a statement counts now: its series may have lost its place since it was entered.</summary>
    public ModelSeries Of(StatementEntry entry) => entry.Series.IsRetired ? entry.Series = Of(entry.Series.Utf8) : entry.Series;

    /// <summary>After a replay: names of the past that have nothing open give their places to those of this life.</summary>
    public void RetireIdle()
    {
        foreach (var series in _own) series.IsRetired = !series.HasOpen;
        _own.RemoveAll(series => series.IsRetired);
    }
}
