using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine;

/// <summary>
/// Checks a request against a model's declaration before anything is queued, and lays it out by the model's input positions.
/// ONNX Runtime checks less: it does not compare equally named dimensions, and it broadcasts where that happens to work.
/// </summary>
internal sealed class RequestValidator(ModelInfo info, ModelShape shape)
{
    private const int MaxSymbolsOnStack = 32;
    private const int MaxQuotedName = 64;
    private const int MaxQuotedRank = 16;

    private readonly int _maxRows = info.Options.MaxRowsPerRequest ?? info.Options.MaxBatch;

    /// <summary>Null when the request is good; <paramref name="pending"/> then holds its sources, dimensions, rows and bytes.</summary>
    public InferenceFailure? Validate(InferenceRequest request, PendingRequest pending)
    {
        Span<long> symbols = shape.SymbolCount <= MaxSymbolsOnStack ? stackalloc long[MaxSymbolsOnStack] : new long[shape.SymbolCount];
        symbols.Fill(-1);
        long total = 0;
        for (var i = 0; i < info.Inputs.Count; i++)
        {
            if (!TryFind(request, i, out var input)) return Missing(request, i);
            if (Check(request, input, i, symbols, pending) is { } failure) return failure;
            total += input.Source.Length;
        }

        if (request.Count > info.Inputs.Count) return Unknown(request);
        if (total > info.Options.MaxRequestBytes)
            return Failures.Invalid(null, $"the inputs are {total} bytes, more than the {info.Options.MaxRequestBytes} that model '{info.Name}' allows");
        pending.Bytes = total;
        return SetRows(pending);
    }

    private bool TryFind(InferenceRequest request, int position, out InferenceRequest.Input input)
    {
        var name = info.Inputs[position].Name;
        if (position < request.Count)
        {
            input = request.InputAt(position);
            if (input.Name is null || input.Name == name) return true;
        }

        for (var i = 0; i < request.Count; i++)
        {
            input = request.InputAt(i);
            if (input.Name == name) return true;
        }

        input = default;
        return false;
    }

    private InferenceFailure? Check(InferenceRequest request, in InferenceRequest.Input input, int position, Span<long> symbols, PendingRequest pending)
    {
        var spec = info.Inputs[position];
        if (input.Type != spec.Type)
            return Failures.Invalid(spec.Name, $"input '{spec.Name}' has type {input.Type}, the model takes {spec.Type}");
        var dimensions = request.ShapeOf(input);
        if (!Fits(spec, dimensions))
            return Failures.Invalid(spec.Name, $"input '{spec.Name}' has shape [{Join(dimensions)}], the model takes [{Join(spec.Dimensions)}]");
        if (Disagrees(dimensions, shape.Starts[position], symbols) is { } name)
            return Failures.Invalid(spec.Name, $"input '{spec.Name}' has shape [{Join(dimensions)}], in which '{name}' differs from that of another input");
        if (ByteCount(spec.Type, dimensions) is var expected && expected != input.Source.Length)
            return Failures.Invalid(spec.Name, $"input '{spec.Name}' has {input.Source.Length} bytes, its shape [{Join(dimensions)}] of {spec.Type} takes {(expected < 0 ? "too many" : expected)}");
        if (CheckValues(spec, input.Source.Bytes) is { } failure) return failure;
        dimensions.CopyTo(pending.Dimensions.AsSpan(shape.Starts[position]));
        pending.Sources[position] = input.Source;
        return null;
    }

    private InferenceFailure? CheckValues(TensorSpec spec, ReadOnlySpan<byte> bytes)
    {
        // docs/formats.md: a bool is one byte, 0 or 1; others would commit to bits that the backend reads differently.
        if (spec.Type == ElementType.Bool && bytes.ContainsAnyExceptInRange((byte)0, (byte)1))
            return Failures.Invalid(spec.Name, $"input '{spec.Name}' holds a bool that is neither 0 nor 1");
        if (info.Options.NonFinite == NonFinitePolicy.Reject && !FiniteCheck.AllFinite(spec.Type, bytes))
            return Failures.Invalid(spec.Name, $"input '{spec.Name}' holds a NaN or an infinity, which model '{info.Name}' does not take");
        return null;
    }

    private static bool Fits(TensorSpec spec, ReadOnlySpan<long> dimensions)
    {
        if (dimensions.Length != spec.Rank) return false;
        for (var i = 0; i < dimensions.Length; i++)
        {
            // An empty dimension would make an empty answer, which nobody asks for on purpose.
            if (dimensions[i] < 1 || (spec.Dimensions[i] >= 0 && dimensions[i] != spec.Dimensions[i])) return false;
        }

        return true;
    }

    private string? Disagrees(ReadOnlySpan<long> dimensions, int start, Span<long> symbols)
    {
        for (var i = 0; i < dimensions.Length; i++)
        {
            var id = shape.SymbolIds[start + i];
            if (id < 0) continue;
            if (symbols[id] >= 0 && symbols[id] != dimensions[i]) return SymbolName(start + i);
            symbols[id] = dimensions[i];
        }

        return null;
    }

    private InferenceFailure? SetRows(PendingRequest pending)
    {
        pending.Rows = 1;
        if (!shape.HasRows) return null;
        var rows = pending.Dimensions[0];
        foreach (var start in shape.Starts)
            if (pending.Dimensions[start] != rows) return Failures.Invalid(null, $"the inputs have different numbers of rows ({rows} and {pending.Dimensions[start]})");
        if (rows > _maxRows)
            return Failures.Invalid(null, $"the request has {rows} rows, model '{info.Name}' takes at most {_maxRows}");
        pending.Rows = (int)rows;
        return null;
    }

    private InferenceFailure Missing(InferenceRequest request, int position)
    {
        var name = info.Inputs[position].Name;
        return request.Count >= info.Inputs.Count
            ? Unknown(request)
            : Failures.Invalid(name, $"input '{name}' is missing");
    }

    private InferenceFailure Unknown(InferenceRequest request)
    {
        var seen = new HashSet<string>();
        for (var i = 0; i < request.Count; i++)
        {
            var name = request.InputAt(i).Name;
            if (name is null) continue;
            var quoted = Quoted(name);
            if (info.Inputs.All(spec => spec.Name != name)) return Failures.Invalid(quoted, $"model '{info.Name}' has no input '{quoted}'");
            if (!seen.Add(name)) return Failures.Invalid(quoted, $"input '{quoted}' is given twice");
        }

        return Failures.Invalid(null, $"model '{info.Name}' takes {info.Inputs.Count} inputs, the request has {request.Count}");
    }

    /// <summary>−1 when the number does not fit.</summary>
    private static long ByteCount(ElementType type, ReadOnlySpan<long> dimensions)
    {
        long bytes = ElementTypes.SizeOf(type);
        foreach (var dimension in dimensions)
        {
            if (dimension > long.MaxValue / bytes) return -1;
            bytes *= dimension;
        }

        return bytes;
    }

    private string? SymbolName(int position)
    {
        for (var i = info.Inputs.Count - 1; ; i--)
            if (shape.Starts[i] <= position) return info.Inputs[i].Symbols[position - shape.Starts[i]];
    }

    /// <summary>A caller's name, cut to a length fit for a message and never within a character.</summary>
    private static string Quoted(string name)
    {
        if (name.Length <= MaxQuotedName) return name;
        return name[..(char.IsHighSurrogate(name[MaxQuotedName - 1]) ? MaxQuotedName - 1 : MaxQuotedName)];
    }

    private static string Join(ReadOnlySpan<long> dimensions) => dimensions.Length <= MaxQuotedRank
        ? string.Join(',', dimensions.ToArray())
        : $"{string.Join(',', dimensions[..MaxQuotedRank].ToArray())},… of rank {dimensions.Length}";
}
