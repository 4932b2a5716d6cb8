namespace OpenGradient.Engine.Attestation.Tests.Verification;

/// <summary>
/// Captured evidence, which is not part of the project: OG_VECTORS names a folder with <c>attestation/</c> in it. Where it names none,
/// the tests that need it are skipped, visibly.
/// </summary>
internal static class Vectors
{
    public const string Skipped = "OG_VECTORS names no folder with captured evidence";

    /// <summary>The folder <c>attestation</c>; null where there is none.</summary>
    public static string? Folder { get; } = Find();

    /// <summary>More inputs in every sample: OG_LONG=1.</summary>
    public static bool IsLong { get; } = Environment.GetEnvironmentVariable("OG_LONG") == "1";

    /// <summary>Spoiled inputs per parser: 20,000, with OG_LONG=1 2,000,000, or as many as OG_FUZZ_INPUTS says.</summary>
    public static int Inputs { get; } = int.TryParse(Environment.GetEnvironmentVariable("OG_FUZZ_INPUTS"), out var inputs) && inputs > 0 ? inputs : IsLong ? 2_000_000 : 20_000;

    /// <summary>A file's bytes, by its path below the folder.</summary>
    public static byte[] Read(params string[] path) => File.ReadAllBytes(PathOf(path));

    public static string ReadText(params string[] path) => File.ReadAllText(PathOf(path));

    public static string PathOf(params string[] path) => Path.Combine([Folder ?? throw new InvalidOperationException(Skipped), .. path]);

    private static string? Find()
    {
        var root = Environment.GetEnvironmentVariable("OG_VECTORS");
        if (string.IsNullOrEmpty(root)) return null;
        var folder = Path.Combine(root, "attestation");
        return Directory.Exists(folder) ? folder : null;
    }
}

/// <summary>A fact over captured evidence.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class VectorFactAttribute : FactAttribute
{
    public VectorFactAttribute()
    {
        if (Vectors.Folder is null) Skip = Vectors.Skipped;
    }
}

/// <summary>A theory over captured evidence. Its data must be able to be empty where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class VectorTheoryAttribute : TheoryAttribute
{
    public VectorTheoryAttribute()
    {
        if (Vectors.Folder is null) Skip = Vectors.Skipped;
    }
}
