using System.Collections;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Archive;
using OpenGradient.Engine.Settlement.Journal;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>
/// Every chain operation by its number. The newest are in memory, and so are registrations and whatever changed again
/// after it had been archived; the others are read from the archive when asked for. Guarded by the state's lock.
/// </summary>
internal sealed class OperationLog(StatementArchive archive) : IReadOnlyList<ChainOperation>
{
    private readonly List<ChainOperation> _recent = [];
    private readonly SortedDictionary<ulong, ChainOperation> _kept = []; // below _first
    private readonly HashSet<Hash256> _anchoringEpochs = [];             // of archived anchors in a block
    private ulong _first;                                                // number of _recent's first

    public int Count => checked((int)(_first + (ulong)_recent.Count));

    /// <summary>What is in memory, in order.</summary>
    public IEnumerable<ChainOperation> InMemory => _kept.Values.Concat(_recent);

    /// <summary>Epochs whose keys have signed an anchor that is in the archive.</summary>
    public IReadOnlyCollection<Hash256> AnchoringEpochs => _anchoringEpochs;

    /// <summary>Of an archived operation a copy, for reading.</summary>
    public ChainOperation this[int id] => Recent((ulong)id) ?? archive.ReadOperation((ulong)id);

    /// <summary>Null when it is in the archive alone.</summary>
    public ChainOperation? Recent(ulong id)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, (ulong)Count);
        return id >= _first ? _recent[(int)(id - _first)] : _kept.GetValueOrDefault(id);
    }

    /// <summary>The one in memory; brings it back there when need be.</summary>
    public ChainOperation ForChange(ulong id)
    {
        if (id >= (ulong)Count) throw new FormatException($"journal: operation {id} was not opened");
        if (Recent(id) is { } known) return known;
        return _kept[id] = archive.ReadOperation(id);
    }

    public void Add(ChainOperation operation) => _recent.Add(operation);

    /// <summary>The newest anchor that fits; older ones are read from the archive.</summary>
    public ChainOperation? LastAnchor(Predicate<ChainOperation> fits) => Last(operation => operation.Kind == OperationKind.Anchor && fits(operation));

    /// <summary>The newest registration that fits; all of them are in memory.</summary>
    public ChainOperation? LastRegistration(Predicate<ChainOperation> fits) =>
        InMemory.LastOrDefault(operation => operation.Kind == OperationKind.Register && fits(operation));

    /// <summary>The newest operation that fits; reads the archive when none in memory does.</summary>
    public ChainOperation? LastOrDefault(Predicate<ChainOperation> fits) => Last(fits);

    /// <summary>The oldest operations in memory that nothing can change any more by itself, but not the newest <paramref name="keep"/>.</summary>
    /// <param name="leaves">Statements in the archive: an operation stays at least as long as its statements.</param>
    public List<ChainOperation> Settled(int keep, ulong leaves)
    {
        var settled = new List<ChainOperation>();
        foreach (var operation in _recent.Take(Math.Max(0, _recent.Count - keep)))
        {
            if (!operation.IsFinal && operation.AbandonedBecause is null) break;
            if (operation.Checkpoint is { } signed && signed.Size > leaves) break;
            settled.Add(operation);
        }

        return settled;
    }

    /// <summary>The oldest ones are in the archive now. Registrations stay.</summary>
    public void Release(IReadOnlyList<ChainOperation> archived)
    {
        foreach (var operation in archived)
        {
            if (operation.Kind == OperationKind.Register) _kept[operation.Id] = operation;
            else if (operation.Inclusion is not null) _anchoringEpochs.Add(operation.Epoch);
        }

        _recent.RemoveRange(0, archived.Count);
        _first += (ulong)archived.Count;
    }

    /// <summary>Takes over what a snapshot held, in order.</summary>
    public void Restore(IEnumerable<ChainOperation> operations, IEnumerable<Hash256> anchoringEpochs)
    {
        _first = archive.Operations;
        _anchoringEpochs.UnionWith(anchoringEpochs);
        foreach (var operation in operations)
        {
            if (operation.Id < _first) _kept.Add(operation.Id, operation);
            else _recent.Add(operation);
        }
    }

    public IEnumerator<ChainOperation> GetEnumerator()
    {
        for (var id = 0; id < Count; id++) yield return this[id];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private ChainOperation? Last(Predicate<ChainOperation> fits)
    {
        for (var id = Count - 1; id >= 0; id--)
            if (this[id] is var operation && fits(operation)) return operation;
        return null;
    }
}
