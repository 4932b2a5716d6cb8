namespace OpenGradient.Engine.LanguageModels.Generation;

/// <summary>
/// Who is next: high before normal before low, but one in sixteen is a lower priority's; within a priority the caller that has
/// the fewest sequences under way, and among those the one that was served longest ago. Used by the scheduler's thread only.
/// </summary>
internal sealed class WaitingLine
{
    /// <summary>As the engine's queue has it (docs/engine.md, "Queue"): a lower priority keeps moving at 6% of the model's speed.</summary>
    public const int PassedPerTurn = 15;

    private readonly Level[] _levels = [new(), new(), new()];

    public int Count { get; private set; }

    public void Add(Sequence sequence)
    {
        _levels[(int)sequence.Priority].Add(sequence);
        Count++;
    }

    /// <summary>Removes a sequence, wherever it stands. False when it does not wait here.</summary>
    public bool Remove(Sequence sequence)
    {
        if (!_levels[(int)sequence.Priority].Remove(sequence, isServed: false)) return false;
        Count--;
        return true;
    }

    /// <summary>The next sequence, which stays; null when none waits.</summary>
    /// <param name="underWay">How many sequences of a caller are under way.</param>
    public Sequence? Peek(Func<string, int> underWay)
    {
        Level? highest = null;
        foreach (var level in _levels)
        {
            if (level.IsEmpty) continue;
            if (highest is not null && level.Passed >= PassedPerTurn) return level.Peek(underWay);
            highest ??= level;
        }

        return highest?.Peek(underWay);
    }

    public bool HasAbove(RequestPriority priority)
    {
        for (var higher = 0; higher < (int)priority; higher++)
            if (!_levels[higher].IsEmpty) return true;
        return false;
    }

    /// <summary>Takes the sequence that <see cref="Peek"/> gave.</summary>
    public void Take(Sequence sequence)
    {
        var taken = (int)sequence.Priority;
        _levels[taken].Remove(sequence, isServed: true);
        _levels[taken].Passed = 0;
        for (var lower = taken + 1; lower < _levels.Length; lower++)
            if (!_levels[lower].IsEmpty) _levels[lower].Passed++;
        Count--;
    }

    /// <summary>One priority: callers of whom something waits, in turn.</summary>
    private sealed class Level
    {
        private readonly LinkedList<CallerLine> _turns = new();
        private readonly Dictionary<string, LinkedListNode<CallerLine>> _callers = new(StringComparer.Ordinal);

        public bool IsEmpty => _turns.Count == 0;

        /// <summary>Sequences of higher priorities that went past while something waited here.</summary>
        public int Passed { get; set; }

        public void Add(Sequence sequence)
        {
            if (!_callers.TryGetValue(sequence.Plan.CallerKey, out var caller))
            {
                caller = _turns.AddLast(new CallerLine(sequence.Plan.CallerKey));
                _callers.Add(sequence.Plan.CallerKey, caller);
            }

            caller.Value.Sequences.Add(sequence.Order, sequence);
        }

        public Sequence? Peek(Func<string, int> underWay)
        {
            CallerLine? next = null;
            var fewest = int.MaxValue;
            foreach (var caller in _turns)
            {
                var count = underWay(caller.Name);
                if (count >= fewest) continue;
                (next, fewest) = (caller, count);
                if (count == 0) break;
            }

            return next?.Sequences.Values[0];
        }

        public bool Remove(Sequence sequence, bool isServed)
        {
            if (!_callers.TryGetValue(sequence.Plan.CallerKey, out var caller) || !caller.Value.Sequences.Remove(sequence.Order)) return false;
            if (caller.Value.Sequences.Count > 0 && !isServed) return true;
            _turns.Remove(caller);
            if (caller.Value.Sequences.Count > 0) _turns.AddLast(caller);
            else _callers.Remove(sequence.Plan.CallerKey);
            if (IsEmpty) Passed = 0;
            return true;
        }
    }

    private sealed class CallerLine(string name)
    {
        public string Name => name;

        /// <summary>By arrival. Most leave at the front, and a shift of a thousand references is nothing beside a step.</summary>
        public SortedList<long, Sequence> Sequences { get; } = [];
    }
}
