using System.Globalization;

namespace OpenGradient.Engine.LanguageModels.Kernels;

/// <summary>How much memory this process may still take. Linux grants more than there is and ends the process later, so it is asked before.</summary>
internal static class MachineMemory
{
    private const string Machine = "/proc/meminfo", Group = "/sys/fs/cgroup/memory.max";

    /// <summary>Bytes; <see cref="long.MaxValue"/> where nobody says.</summary>
    public static long Available() => Math.Min(OfMachine(), OfGroup());

    private static long OfMachine()
    {
        const string field = "MemAvailable:";
        var line = Read(Machine).Split('\n').FirstOrDefault(each => each.StartsWith(field, StringComparison.Ordinal));
        return line is not null && Number(line[field.Length..].Replace("kB", "", StringComparison.Ordinal)) is { } kilobytes ? kilobytes * 1024 : long.MaxValue;
    }

    private static long OfGroup() => Number(Read(Group)) ?? long.MaxValue;

    private static long? Number(string text) => long.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
