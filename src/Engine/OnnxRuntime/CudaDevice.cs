namespace OpenGradient.Engine.OnnxRuntime;

/// <summary>Names a GPU for the fingerprint from what the driver publishes in /proc.</summary>
internal static class CudaDevice
{
    private const string Gpus = "/proc/driver/nvidia/gpus";

    public static string Describe(int ordinal)
    {
        var folders = Directory.Exists(Gpus) ? Directory.GetDirectories(Gpus).Order(StringComparer.Ordinal).ToArray() : [];
        return ordinal < folders.Length ? ModelOf(Path.Combine(folders[ordinal], "information")) : $"gpu{ordinal}";
    }

    private static string ModelOf(string file)
    {
        const string Label = "Model:";
        var line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(Label, StringComparison.Ordinal)) : null;
        return line is null ? "gpu" : line[Label.Length..].Trim();
    }
}
