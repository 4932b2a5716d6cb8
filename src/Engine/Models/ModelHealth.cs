namespace OpenGradient.Engine;

/// <summary>How well a loaded model can serve.</summary>
public enum ModelHealth
{
    /// <summary>Nothing is known against it.</summary>
    Ready,

    /// <summary>It serves, but something happened that its operator should know.</summary>
    Degraded,

    /// <summary>It refuses requests.</summary>
    Unavailable,
}

/// <summary>A loaded model's health and why. Immutable.</summary>
/// <param name="Health">The worst of what was reported.</param>
/// <param name="Reasons">For the operator, in words, one per source; empty when ready.</param>
public sealed record ModelHealthReport(ModelHealth Health, IReadOnlyList<string> Reasons)
{
    internal static readonly ModelHealthReport Ready = new(ModelHealth.Ready, []);
}

/// <summary>
/// What the parts of the engine have reported about one lane. Each source holds one report, its latest, so the list is bounded
/// by the number of sources. Safe for concurrent calls; reading takes no lock.
/// </summary>
internal sealed class LaneHealth
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, (ModelHealth Health, string Reason)> _reports = new(StringComparer.Ordinal);
    private volatile ModelHealthReport _current = ModelHealthReport.Ready;

    public ModelHealthReport Current => _current;

    public bool IsUnavailable => _current.Health == ModelHealth.Unavailable;

    /// <summary>Sets a source's report, replacing its earlier one.</summary>
    /// <param name="source">A constant that names the reporting part, for example "hung calls".</param>
    public void Report(string source, ModelHealth health, string reason)
    {
        lock (_gate)
        {
            _reports[source] = (health, reason);
            Publish();
        }
    }

    /// <summary>Takes a source's report back.</summary>
    public void Clear(string source)
    {
        lock (_gate)
        {
            if (_reports.Remove(source)) Publish();
        }
    }

    private void Publish() => _current = _reports.Count == 0
        ? ModelHealthReport.Ready
        : new ModelHealthReport(_reports.Values.Max(report => report.Health), [.. _reports.Values.Select(report => report.Reason)]);
}
