using System.Globalization;
using OpenGradient.Engine.Benchmarks.Report;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Report;

/// <summary>What the points found: rows of the table, texts below it, and the keys of the last line.</summary>
internal sealed class Figures
{
    /// <summary>The keys that are always there, in their order; null where nothing was measured.</summary>
    private static readonly string[] Fixed = ["decode_ratio", "prefill_ratio", "bandwidth_fraction", "ttft_ms", "itl_ms", "verify_speedup"];

    private readonly List<string[]> _rows = [];
    private readonly List<(string Section, string Line)> _texts = [];
    private readonly Dictionary<string, string> _missing = [];
    private readonly Dictionary<string, Node> _models = [];

    /// <summary>Tokens that were computed again and came out the same.</summary>
    public long Checked { get; private set; }

    public long Failed { get; private set; }

    public void Count(long held, long failed)
    {
        Checked += held;
        Failed += failed;
    }

    /// <param name="reach">At least this; null states no reach.</param>
    public void Row(string model, string what, double? measured, string unit, double? reach = null, string note = "")
    {
        var verdict = reach is null || measured is null ? "" : measured >= reach ? "reached" : "missed";
        _rows.Add([model, what, reach is null ? "" : $">= {Text(reach)}", $"{Text(measured)} {unit}".TrimEnd(), verdict, note]);
    }

    public void Text(string section, string line) => _texts.Add((section, line));

    /// <summary>Says why a key stays null.</summary>
    public void Missing(string key, string reason)
    {
        _missing[key] = reason;
        Text("not measured", $"{key}: {reason}");
    }

    /// <summary>A number of a model, under a path of keys.</summary>
    public void Set(string model, double? value, params ReadOnlySpan<string> path)
    {
        if (!_models.TryGetValue(model, out var node)) _models[model] = node = new Node();
        foreach (var key in path) node = node.Part(key);
        node.Value = value;
    }

    /// <summary>A number that was set.</summary>
    public double? Get(string model, params ReadOnlySpan<string> path)
    {
        var node = _models.GetValueOrDefault(model);
        foreach (var key in path) node = node?.Parts.GetValueOrDefault(key);
        return node?.Value;
    }

    public void Print(string hardware, string llama, TimeSpan took, bool quick)
    {
        Console.Out.WriteLine($"Language models beside llama.cpp. {hardware}, .NET {Environment.Version}, commit {Machine.Commit()}, {took.TotalSeconds:0} s{(quick ? ", QUICK: a look, not a measurement" : "")}.");
        Console.Out.WriteLine();
        TextTable.Print([["model", "what", "to reach", "measured", "", ""], .. _rows]);
        foreach (var section in _texts.GroupBy(text => text.Section))
        {
            Console.Out.WriteLine();
            Console.Out.WriteLine($"{section.Key}:");
            foreach (var (_, line) in section) Console.Out.WriteLine($"  {line}");
        }

        Console.Out.WriteLine();
        PrintJson(hardware, llama, took, quick);
    }

    /// <summary>The largest model's keys are the line's own; every model's are under its name.</summary>
    private void PrintJson(string hardware, string llama, TimeSpan took, bool quick)
    {
        using var line = new JsonLine();
        var (main, node) = _models.Count == 0 ? (null, new Node()) : (_models.Last().Key, _models.Last().Value);
        foreach (var key in Fixed)
        {
            if (node.Parts.TryGetValue(key, out var part)) Add(line, key, part);
            else line.Add(key, (double?)null);
        }

        line.Add("model", main).Begin("models");
        foreach (var (name, each) in _models) Add(line, name, each);
        line.End().Begin("not_measured");
        foreach (var (key, reason) in _missing) line.Add(key, reason);
        line.End().Add("checked", Checked).Add("failed", Failed).Add("quick", quick).Add("seconds", took.TotalSeconds, 0)
            .Add("load_average", Machine.LoadAverage(), 2).Add("hardware", hardware).Add("llama", llama).Add("commit", Machine.Commit()).Print();
    }

    private static void Add(JsonLine line, string key, Node node)
    {
        if (node.Parts.Count == 0)
        {
            line.Add(key, node.Value);
            return;
        }

        line.Begin(key);
        foreach (var (name, part) in node.Parts) Add(line, name, part);
        line.End();
    }

    /// <summary>Four significant digits, or whole numbers with separators.</summary>
    private static string Text(double? value) => value switch
    {
        null => "-",
        { } v when Math.Abs(v) >= 1000 => v.ToString("#,0", CultureInfo.InvariantCulture),
        { } v when Math.Abs(v) >= 10 => v.ToString("0.#", CultureInfo.InvariantCulture),
        { } v => v.ToString("0.###", CultureInfo.InvariantCulture),
    };

    private sealed class Node
    {
        public double? Value { get; set; }

        public Dictionary<string, Node> Parts { get; } = [];

        public Node Part(string key)
        {
            if (!Parts.TryGetValue(key, out var part)) Parts[key] = part = new Node();
            return part;
        }
    }
}
