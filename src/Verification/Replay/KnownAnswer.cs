using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Verification.Replay;

/// <summary>
/// An answer as its holder saved it. A receipt holds digests alone; only with the values at hand can a replay say which
/// element differs. Outputs that were not asked for may be missing.
/// </summary>
/// <param name="tensors">The saved outputs.</param>
/// <param name="gaps">By output, elements whose bits the saved form did not carry: JSON has no NaN and no infinity.</param>
public sealed class KnownAnswer(IReadOnlyList<NamedTensor> tensors, IReadOnlyDictionary<string, IReadOnlySet<int>>? gaps = null)
{
    public IReadOnlyList<NamedTensor> Tensors { get; } = tensors;

    /// <summary>A copy of a result's outputs.</summary>
    public static KnownAnswer Of(in InferenceResult result)
    {
        var outputs = new NamedTensor[result.Outputs.Count];
        for (var i = 0; i < outputs.Length; i++)
            outputs[i] = new NamedTensor(result.Outputs[i].Name, result.Outputs[i].Type, result.Shape(i).ToArray(), result.Bytes(i).ToArray());
        return new KnownAnswer(outputs);
    }

    /// <summary>
    /// All outputs: what was saved, and what was not taken from an execution. If that has the committed digest, what was saved
    /// is the committed answer.
    /// </summary>
    internal NamedTensor[] CompletedBy(IReadOnlyList<NamedTensor> executed)
    {
        var all = Tensors.Select(saved => Filled(saved, executed.FirstOrDefault(output => output.Name == saved.Name))).ToList();
        all.AddRange(executed.Where(output => Tensors.All(saved => saved.Name != output.Name)));
        return [.. all];
    }

    private NamedTensor Filled(NamedTensor saved, NamedTensor? executed)
    {
        if (gaps is null || !gaps.TryGetValue(saved.Name, out var missing) || missing.Count == 0) return saved;
        if (executed is null || executed.Type != saved.Type || executed.Data.Length != saved.Data.Length) return saved;
        var size = ElementTypes.SizeOf(saved.Type);
        var data = saved.Data.ToArray();
        foreach (var index in missing)
        {
            var element = executed.Data.Span.Slice(index * size, size);
            // A finite number would have been written as one: it is not what was saved.
            if (!Elements.IsFinite(saved.Type, element)) element.CopyTo(data.AsSpan(index * size));
        }

        return saved with { Data = data };
    }
}
