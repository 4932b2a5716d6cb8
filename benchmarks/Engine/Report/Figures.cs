using System.Globalization;

namespace OpenGradient.Engine.Benchmarks.Report;

/// <summary>What the points found: rows of the table, texts below it, and the keys of the last line.</summary>
internal sealed class Figures
{
    /// <summary>The keys that are always there, in their order; null where their point did not run.</summary>
    private static readonly string[] Fixed =
    [
        "call_overhead_ratio", "vs_static_ratio", "receipt_tax", "vs_unbatched_ratio", "idle_added_us", "idle_added_with_receipt_us",
        "allocated_bytes_per_request", "noop_requests_per_second", "http_ratio", "alignment_tax", "replayed", "replay_mismatches",
    ];

    private static readonly string[] PerModel = ["call_overhead_ratio", "vs_static_ratio", "receipt_tax"];
    private static readonly string[] ModelNames = ["digits", "encoder", "resnet"];

    private readonly List<string[]> _rows = [];
    private readonly List<(string Section, string Line)> _texts = [];
    private readonly Dictionary<string, (double? Value, int Digits)> _values = [];
    private readonly Dictionary<string, Dictionary<string, double?>> _objects = [];

    /// <summary>Answers, receipts and replays that did not hold.</summary>
    public long Failed { get; private set; }

    public long Verified { get; private set; }

    public void Count(ReceiptCount count)
    {
        Verified += count.Verified;
        Failed += count.Failed;
    }

    /// <summary>One row of the table. <paramref name="atLeast"/>: whether more is better; null states no reach.</summary>
    public void Row(string point, string what, double? measured, string unit, double? reach = null, bool atLeast = false, string note = "")
    {
        var verdict = reach is null || measured is null ? "" : (atLeast ? measured >= reach : measured <= reach) ? "reached" : "missed";
        _rows.Add([point, what, reach is null ? "" : $"{(atLeast ? ">=" : "<=")} {Text(reach)}", $"{Text(measured)} {unit}".TrimEnd(), verdict, note]);
    }

    public void Text(string section, string line) => _texts.Add((section, line));

    public void Set(string key, double? value, int digits = 3) => _values[key] = (value, digits);

    public void Set(string key, string part, double? value)
    {
        if (!_objects.TryGetValue(key, out var parts)) _objects[key] = parts = [];
        parts[part] = value;
    }

    public void Print(string hardware, string onnxRuntime, TimeSpan took, bool quick)
    {
        var machine = $"{hardware}, ONNX Runtime {onnxRuntime}, .NET {Environment.Version}, commit {Machine.Commit()}";
        Console.Out.WriteLine($"The engine beside plain C on the same library. {machine}, {took.TotalSeconds:0} s{(quick ? ", QUICK: a look, not a measurement" : "")}.");
        Console.Out.WriteLine();
        TextTable.Print([["point", "what", "to reach", "measured", "", ""], .. _rows]);
        foreach (var section in _texts.GroupBy(text => text.Section))
        {
            Console.Out.WriteLine();
            Console.Out.WriteLine($"{section.Key}:");
            foreach (var (_, line) in section) Console.Out.WriteLine($"  {line}");
        }

        Console.Out.WriteLine();
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

        line.Add("answers_verified", Verified).Add("answers_failed", Failed).Add("quick", quick).Add("seconds", took.TotalSeconds, 0)
            .Add("load_average", Machine.LoadAverage(), 2).Add("hardware", hardware).Add("onnxruntime", onnxRuntime).Add("commit", Machine.Commit()).Print();
    }

    /// <summary>Four significant digits, or whole numbers with separators.</summary>
    private static string Text(double? value) => value switch
    {
        null => "-",
        { } v when Math.Abs(v) >= 1000 => v.ToString("#,0", CultureInfo.InvariantCulture),
        { } v when Math.Abs(v) >= 10 => v.ToString("0.#", CultureInfo.InvariantCulture),
        { } v => v.ToString("0.###", CultureInfo.InvariantCulture),
    };
}
