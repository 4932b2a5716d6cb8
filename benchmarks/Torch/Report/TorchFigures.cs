using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Benchmarks.Report;

/// <summary>What the points found: rows of the table, texts below it, and the keys of the last line.</summary>
internal sealed class TorchFigures() : RunFigures("")
{
    /// <summary>Objects by model that are always there, in their order; null where their point did not run.</summary>
    private static readonly string[] Fixed = ["overhead_ratio", "vs_static_ratio", "receipt_tax", "batching_gain", "max_error_vs_float64"];

    private static readonly string[] ModelNames = ["digits", "encoder"];

    private readonly Dictionary<string, Dictionary<string, (double? Value, int Digits)>> _objects = [];
    private readonly Dictionary<string, Dictionary<string, string>> _words = [];

    public void Count(ReceiptCount count) => Count(count.Verified, count.Failed);

    /// <summary>One row of the table. <paramref name="atLeast"/>: whether more is better; a null reach states none.</summary>
    public void Row(string what, double? measured, string unit, double? reach = null, bool atLeast = false, string note = "") =>
        AddRow([what], measured, unit, reach, atLeast, note);

    public void Set(string key, string part, double? value, int digits = 3) => Of(_objects, key)[part] = (value, digits);

    public void Set(string key, string part, string word) => Of(_words, key)[part] = word;

    public void Print(TorchInfo torch, TorchDevice? gpu, TimeSpan took, bool quick)
    {
        var hardware = Machine.Hardware(torch.Kernels);
        var device = gpu is null ? "CPU" : $"{gpu.Name} (compute capability {gpu.Capability}, {gpu.Multiprocessors} multiprocessors, driver {gpu.Driver})";
        PrintTable($"The engine over TorchScript on {device}. {hardware}, libtorch {torch.LibTorch}, {torch.Blas}", took, quick, torch.Warning);
        PrintJson(torch, gpu, hardware, took, quick);
    }

    private void PrintJson(TorchInfo torch, TorchDevice? gpu, string hardware, TimeSpan took, bool quick)
    {
        using var line = new JsonLine();
        foreach (var key in Fixed.Concat(_objects.Keys.Except(Fixed).Order(StringComparer.Ordinal)))
        {
            var parts = _objects.GetValueOrDefault(key) ?? [];
            line.Begin(key);
            foreach (var part in Fixed.Contains(key) ? ModelNames.Concat(parts.Keys.Except(ModelNames)) : parts.Keys)
            {
                var (value, digits) = parts.GetValueOrDefault(part);
                line.Add(part, value, digits);
            }

            line.End();
        }

        foreach (var (key, words) in _words.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            line.Begin(key);
            foreach (var (part, word) in words) line.Add(part, word);
            line.End();
        }

        AddGpu(line, gpu, torch);
        line.Add("answers_verified", Checked).Add("answers_failed", Failed);
        AddRun(line, hardware, took, quick).Add("libtorch", torch.LibTorch).Add("blas", torch.Blas)
            .Add("numerics", torch.Numerics).Add("commit", Machine.Commit()).Print();
    }

    /// <summary>Null on the CPU, whatever is plugged in: what was measured counts.</summary>
    private static void AddGpu(JsonLine line, TorchDevice? gpu, TorchInfo torch)
    {
        if (gpu is null)
        {
            line.Add("gpu", (string?)null);
            return;
        }

        line.Begin("gpu").Add("name", gpu.Name).Add("capability", gpu.Capability).Add("multiprocessors", gpu.Multiprocessors)
            .Add("driver", gpu.Driver).Add("memory_bytes", (long)gpu.TotalBytes).Add("cuda", torch.Cuda).End();
    }

    private static Dictionary<string, T> Of<T>(Dictionary<string, Dictionary<string, T>> objects, string key) =>
        objects.TryGetValue(key, out var parts) ? parts : objects[key] = [];
}
