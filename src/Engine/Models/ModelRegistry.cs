using System.Collections.Concurrent;
using System.Collections.Immutable;
using OpenGradient.Engine.Serving;

namespace OpenGradient.Engine.Models;

/// <summary>The loaded models by name and version. Reads take no lock; changes take one.</summary>
internal sealed class ModelRegistry
{
    private readonly Lock _gate = new();

    // Versions of a name in order of first loading: the last one answers requests that name none. A version that is loaded
    // again keeps its place, so that repairing an older one does not give it everybody's traffic.
    private readonly ConcurrentDictionary<string, ImmutableArray<ModelLane>> _lanes = new(StringComparer.Ordinal);
    private volatile bool _closed;

    public bool IsClosed => _closed;

    public IEnumerable<ModelLane> Lanes => _lanes.Values.SelectMany(versions => versions);

    public ModelLane? Find(string name, string? version)
    {
        if (!_lanes.TryGetValue(name, out var versions)) return null;
        if (version is null) return versions[^1];
        // A loop: a lambda over the version would allocate on every request, named version or not.
        foreach (var lane in versions)
            if (lane.Info.Version == version) return lane;
        return null;
    }

    /// <summary>False when the registry is closed; otherwise <paramref name="replaced"/> is the lane of the same version that no longer serves.</summary>
    public bool TryPut(ModelLane lane, out ModelLane? replaced)
    {
        lock (_gate)
        {
            replaced = null;
            if (_closed) return false;
            var versions = _lanes.GetValueOrDefault(lane.Info.Name, []);
            replaced = versions.FirstOrDefault(other => other.Info.Version == lane.Info.Version);
            _lanes[lane.Info.Name] = replaced is null ? versions.Add(lane) : versions.Replace(replaced, lane);
            return true;
        }
    }

    /// <summary>The lane that no longer serves; null when there is none.</summary>
    public ModelLane? Remove(string name, string? version)
    {
        lock (_gate)
        {
            if (Find(name, version) is not { } lane) return null;
            var left = _lanes[name].Remove(lane);
            if (left.IsEmpty) _lanes.TryRemove(name, out _);
            else _lanes[name] = left;
            return lane;
        }
    }

    /// <summary>Closes for good and returns what was loaded.</summary>
    public IReadOnlyList<ModelLane> Close()
    {
        lock (_gate)
        {
            _closed = true;
            ModelLane[] lanes = [.. Lanes];
            _lanes.Clear();
            return lanes;
        }
    }
}
