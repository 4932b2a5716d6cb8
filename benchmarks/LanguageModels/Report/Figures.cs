using OpenGradient.Engine.Benchmarks.Report;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Report;

/// <summary>What the points found: rows of the table, texts below it, and the keys of the last line.</summary>
internal sealed class Figures() : RunFigures("model", "what")
{
    /// <summary>The keys that are always there, in their order; null where nothing was measured.</summary>
    private static readonly string[] Fixed = ["decode_ratio", "prefill_ratio", "bandwidth_fraction", "ttft_ms", "itl_ms", "verify_speedup"];

    private readonly Dictionary<string, Node> _models = [];

    /// <param name="reach">At least this; null states no reach.</param>
    public void Row(string model, string what, double? measured, string unit, double? reach = null, string note = "") =>
        AddRow([model, what], measured, unit, reach, atLeast: true, note);

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
        PrintTable($"Language models beside llama.cpp. {hardware}", took, quick);
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
        line.End();
        AddMissing(line);
        line.Add("checked", Checked).Add("failed", Failed);
        AddRun(line, hardware, took, quick).Add("llama", llama).Add("commit", Machine.Commit()).Print();
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
