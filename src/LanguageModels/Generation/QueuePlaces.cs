namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>How many requests wait, in all and per caller. Safe for concurrent calls.</summary>
internal sealed class QueuePlaces(int most, double callerShare)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _callers = new(StringComparer.Ordinal);
    private readonly int _mostOfCaller = Math.Max(1, (int)(most * callerShare));
    private int _waiting;

    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Null: the request has a place. Otherwise what is full.</summary>
    /// <param name="caller">Empty for the anonymous one, who has no share of his own.</param>
    public string? TryEnter(string caller)
    {
        lock (_gate)
        {
            if (_waiting >= most) return $"{most} requests wait";
            var own = _callers.GetValueOrDefault(caller);
            if (caller.Length > 0 && own >= _mostOfCaller) return $"{_mostOfCaller} requests of this caller wait";
            _callers[caller] = own + 1;
            _waiting++;
            return null;
        }
    }

    public void Leave(string caller)
    {
        lock (_gate)
        {
            _waiting--;
            if (_callers[caller] == 1) _callers.Remove(caller);
            else _callers[caller]--;
        }
    }
}
