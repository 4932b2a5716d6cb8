namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>The checkout that the tests were built in, and what was built beside them.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The executable of the same configuration as these tests.</summary>
    public static string Og { get; } = At("artifacts", "bin", "OpenGradient.Engine.Host", Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/')), "og");

    public static string Models { get; } = At("models");

    public static string HeldBackDigits { get; } = At("models", "digits", "inputs", "held-back.json");

    public static string Sentences { get; } = At("models", "encoder", "inputs", "sentences.json");

    public static string At(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "OpenGradient.Engine.sln"))) return folder.FullName;
        throw new InvalidOperationException($"no OpenGradient.Engine.sln above {AppContext.BaseDirectory}");
    }
}
