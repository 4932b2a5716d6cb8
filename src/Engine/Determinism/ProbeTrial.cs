using OpenGradient.Engine.Backends;

namespace OpenGradient.Engine.Determinism;

internal enum ProbeVerdict
{
    /// <summary>Every comparison that could be made gave equal bits.</summary>
    Holds,

    /// <summary>One did not.</summary>
    Fails,

    /// <summary>The outputs cannot be divided by rows, so that there is nothing to compare.</summary>
    NotSliced,

    /// <summary>Not even the same batch gives the same bits.</summary>
    NotRepeatable,

    /// <summary>Too few comparisons for a verdict.</summary>
    OutOfTime,
}

/// <summary>Executes a probe's batches and compares rows. Remembers the last case that failed and what was compared since the last trial began.</summary>
internal sealed class ProbeTrial(IBackendModel model, RowExecution execution, ProbeClock clock)
{
    private const int Repeated = 2;

    // A verdict rests on at least so many sizes, where the model's limit leaves so many.
    private const int FewestSizes = 2;

    private readonly Dictionary<(ProbeRows, int), ProbeOutputs> _alone = [];

    public long Comparisons { get; private set; }

    /// <summary>Of the last trial.</summary>
    public int LargestBatch { get; private set; } = 1;

    /// <summary>The last failure in words.</summary>
    public string? Mismatch { get; private set; }

    /// <summary>Whether a few rows give the same bits twice.</summary>
    public bool Repeats(ProbeRows rows)
    {
        for (var number = 0; number < Repeated; number++)
        {
            if (rows.Execute([number], 1) is not null)
            {
                rows.Replace(number);
                if (rows.Execute([number], 1) is not null) return true;
            }

            var first = ProbeOutputs.Take(execution, 1);
            if (rows.Execute([number], 1) is not null) return true;
            Comparisons++;
            if (ProbeOutputs.Take(execution, 1).Differs(0, first, 0) >= 0) return false;
        }

        return true;
    }

    /// <summary>Whether rows in batches have the bits of the same rows alone, both padded by the rule.</summary>
    /// <param name="share">Of the budget, what may have been used before another batch begins.</param>
    public ProbeVerdict AgreesAlone(IReadOnlyList<ProbeRows> sets, PaddingRule rule, int maxBatch, double share)
    {
        _alone.Clear();
        LargestBatch = 1;
        var random = new RandomBits(1);
        var sizes = new HashSet<int>();
        foreach (var (drawn, planned) in ProbePlan.Rounds(maxBatch))
        {
            foreach (var (rows, size) in Pairs(sets, planned))
            {
                if (!clock.Affords(rule.RowsFor(size), share)) return Enough(sizes, maxBatch);
                var numbers = Draw(size, drawn, ref random);
                if (ExecuteAlone(rows, numbers, rule) is { } refusal)
                {
                    if (clock.IsStopped) return Enough(sizes, maxBatch);
                    Mismatch = $"with {rule}, the model refuses what it takes without ({refusal.Code})";
                    return ProbeVerdict.Fails;
                }

                // A model that refuses a batch of rows that it took one by one has no answer to compare.
                if (rows.Execute(numbers, rule.RowsFor(size)) is not null) continue;
                if (!execution.IsSliced) return ProbeVerdict.NotSliced;
                var together = ProbeOutputs.Take(execution, size);
                for (var slot = 0; slot < size; slot++)
                {
                    Comparisons++;
                    if (together.Differs(slot, _alone[(rows, numbers[slot])], 0) is var output && output < 0) continue;
                    Mismatch = $"with {rule}, '{model.Outputs[output].Name}' of a row at slot {slot} of {rule.RowsFor(size)} is not that of the row alone";
                    return Again(rows, numbers, rule, together);
                }

                sizes.Add(size);
                LargestBatch = Math.Max(LargestBatch, rule.RowsFor(size));
            }
        }

        return Enough(sizes, maxBatch);
    }

    /// <summary>Whether rows keep their bits at the same slot of the same batch size when their neighbours change.</summary>
    public ProbeVerdict AgreesAmong(IReadOnlyList<ProbeRows> sets, PaddingRule rule, int maxBatch)
    {
        LargestBatch = 1;
        var random = new RandomBits(2);
        var sizes = new HashSet<int>();
        foreach (var (drawn, planned) in ProbePlan.Rounds(maxBatch))
        {
            foreach (var (rows, size) in Pairs(sets, planned))
            {
                var executed = rule.RowsFor(size);
                if (!clock.Affords(executed)) return Enough(sizes, maxBatch);
                var numbers = Draw(size, drawn, ref random);
                if (rows.Execute(numbers, executed) is not null) continue;
                var together = ProbeOutputs.Take(execution, size);
                if (WithOthers(rows, numbers, executed, together, drawn, ref random) is not ProbeVerdict.Holds and var failed)
                    return failed == ProbeVerdict.Fails ? Again(rows, numbers, rule, together) : Enough(sizes, maxBatch);
                sizes.Add(size);
                LargestBatch = Math.Max(LargestBatch, executed);
            }
        }

        return Enough(sizes, maxBatch);
    }

    private ProbeVerdict WithOthers(ProbeRows rows, int[] numbers, int executed, ProbeOutputs together, int drawn, ref RandomBits random)
    {
        int[] kept = [0, numbers.Length / 2, numbers.Length - 1];
        foreach (var zeros in (bool[])[false, true])
        {
            // Kept slots are all there are.
            if (numbers.Length <= kept.Length) break;
            var others = zeros ? [.. Enumerable.Repeat(-1, numbers.Length)] : Draw(numbers.Length, drawn, ref random);
            foreach (var slot in kept) others[slot] = numbers[slot];
            if (rows.Execute(others, executed) is not null) continue;
            var changed = ProbeOutputs.Take(execution, numbers.Length);
            foreach (var slot in kept)
                if (!Same(changed, slot, together, slot, executed, zeros ? "zeros" : "other rows")) return ProbeVerdict.Fails;
        }

        foreach (var slot in kept)
        {
            foreach (var neighbours in (Neighbours[])[Neighbours.Copies, Neighbours.Random(random.Next()), Neighbours.Extreme(random.Next())])
            {
                if (!clock.Affords(executed)) return ProbeVerdict.OutOfTime;
                if (rows.ExecuteAmong(numbers[slot], executed, slot, neighbours) is not null) continue;
                if (!Same(ProbeOutputs.Take(execution, 1), 0, together, slot, executed, neighbours.Kind.ToString())) return ProbeVerdict.Fails;
            }
        }

        return ProbeVerdict.Holds;
    }

    private bool Same(ProbeOutputs changed, int row, ProbeOutputs together, int slot, int executed, string neighbours)
    {
        Comparisons++;
        var output = changed.Differs(row, together, slot);
        if (output >= 0) Mismatch = $"'{model.Outputs[output].Name}' of a row at slot {slot} of {executed} changes when its neighbours do ({neighbours})";
        return output < 0;
    }

    private static IEnumerable<(ProbeRows Rows, int Size)> Pairs(IReadOnlyList<ProbeRows> sets, IReadOnlyList<int> sizes) =>
        from size in sizes from rows in sets where size <= rows.MostRows select (rows, size);

    private static int[] Draw(int size, int from, ref RandomBits random)
    {
        var numbers = new int[size];
        foreach (ref var number in numbers.AsSpan()) number = random.Below(from);
        return numbers;
    }

    /// <summary>Executes rows alone that were not yet, under the rule. Null when all were.</summary>
    private BackendFault? ExecuteAlone(ProbeRows rows, int[] numbers, PaddingRule rule)
    {
        foreach (var number in numbers)
        {
            if (_alone.ContainsKey((rows, number))) continue;
            if (rows.Execute([number], rule.RowsFor(1)) is not null)
            {
                rows.Replace(number);
                if (rows.Execute([number], rule.RowsFor(1)) is { } refusal) return refusal;
            }

            _alone[(rows, number)] = ProbeOutputs.Take(execution, 1);
        }

        return null;
    }

    /// <summary>A failed comparison convicts the batch only if the batch repeats itself.</summary>
    private ProbeVerdict Again(ProbeRows rows, int[] numbers, PaddingRule rule, ProbeOutputs first)
    {
        if (rows.Execute(numbers, rule.RowsFor(numbers.Length)) is not null) return ProbeVerdict.Fails;
        var second = ProbeOutputs.Take(execution, numbers.Length);
        for (var slot = 0; slot < numbers.Length; slot++)
            if (second.Differs(slot, first, slot) >= 0) return ProbeVerdict.NotRepeatable;
        return ProbeVerdict.Fails;
    }

    private static ProbeVerdict Enough(HashSet<int> sizes, int maxBatch) =>
        sizes.Count >= Math.Min(FewestSizes, maxBatch - 1) ? ProbeVerdict.Holds : ProbeVerdict.OutOfTime;
}
