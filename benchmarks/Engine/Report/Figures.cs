namespace OpenGradient.Engine.Benchmarks.Report;

/// <summary>What the points found: rows of the table, texts below it, and the keys of the last line.</summary>
internal sealed class Figures() : RunFigures("point", "what")
{
    /// <summary>The keys that are always there, in their order; null where their point did not run.</summary>
    private static readonly string[] Fixed =
    [
        "call_overhead_ratio", "vs_static_ratio", "receipt_tax", "vs_unbatched_ratio", "idle_added_us", "idle_added_with_receipt_us",
        "allocated_bytes_per_request", "noop_requests_per_second", "http_ratio", "alignment_tax", "replayed", "replay_mismatches",
    ];

    private static readonly string[] PerModel = ["call_overhead_ratio", "vs_static_ratio", "receipt_tax"];
    private static readonly string[] ModelNames = ["digits", "encoder", "resnet"];

    private readonly Dictionary<string, (double? Value, int Digits)> _values = [];
    private readonly Dictionary<string, Dictionary<string, double?>> _objects = [];

    public void Count(ReceiptCount count) => Count(count.Verified, count.Failed);

    /// <summary>One row of the table. <paramref name="atLeast"/>: whether more is better; null states no reach.</summary>
    public void Row(string point, string what, double? measured, string unit, double? reach = null, bool atLeast = false, string note = "") =>
        AddRow([point, what], measured, unit, reach, atLeast, note);

    public void Set(string key, double? value, int digits = 3) => _values[key] = (value, digits);

    public void Set(string key, string part, double? value)
    {
        if (!_objects.TryGetValue(key, out var parts)) _objects[key] = parts = [];
        parts[part] = value;
    }

    public void Print(string hardware, string onnxRuntime, TimeSpan took, bool quick)
    {
        PrintTable($"The engine beside plain C on the same library. {hardware}, ONNX Runtime {onnxRuntime}", took, quick);
        PrintJson(hardware, onnxRuntime, took, quick);
    }

    private void PrintJson(string hardware, string onnxRuntime, TimeSpan took, bool quick)
    {
        using var line = new JsonLine();
        foreach (var key in Fixed.Concat(_values.Keys.Concat(_objects.Keys).Except(Fixed).Order(StringComparer.Ordinal)))
        {
            if (PerModel.Contains(key) || _objects.ContainsKey(key))
            {
                line.Begin(key);
                var parts = _objects.GetValueOrDefault(key) ?? [];
                foreach (var part in PerModel.Contains(key) ? ModelNames.Concat(parts.Keys.Except(ModelNames)) : parts.Keys) line.Add(part, parts.GetValueOrDefault(part));
                line.End();
            }
            else
            {
                var (value, digits) = _values.GetValueOrDefault(key);
                line.Add(key, value, digits);
            }
        }

        line.Add("answers_verified", Checked).Add("answers_failed", Failed);
        AddRun(line, hardware, took, quick).Add("onnxruntime", onnxRuntime).Add("commit", Machine.Commit()).Print();
    }
}
