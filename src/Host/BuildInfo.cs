using System.Reflection;

namespace OpenGradient.Engine.Host;

/// <summary>Which build this is.</summary>
internal static class BuildInfo
{
    // The commit's first digits are enough to find it.
    private const int ShownCommit = 9;

    /// <summary>For example <c>0.1.0+a1b2c3d4e</c>.</summary>
    public static string Version { get; } = Shorten(
        typeof(BuildInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown");

    private static string Shorten(string version)
    {
        var commit = version.IndexOf('+') + 1;
        return commit > 0 && version.Length > commit + ShownCommit ? version[..(commit + ShownCommit)] : version;
    }
}
