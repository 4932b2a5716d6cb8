using System.Reflection;

namespace OpenGradient.Engine.Host;

/// <summary>Which build this is.</summary>
internal static class BuildInfo
{
    /// <summary>For example <c>0.1.0+a1b2c3…</c>.</summary>
    public static string Version { get; } =
        typeof(BuildInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
