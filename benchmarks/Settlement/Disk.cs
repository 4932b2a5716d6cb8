namespace OpenGradient.Engine.Benchmarks.Settlement;

/// <summary>Which file system a figure about durability belongs to.</summary>
internal static class Disk
{
    /// <summary>For example <c>ext4 on /dev/vda</c>.</summary>
    public static string Describe(string folder)
    {
        var path = Path.GetFullPath(folder);
        // source, target, type, options: the longest target that the path begins with is its mount.
        var mount = File.ReadLines("/proc/mounts").Select(line => line.Split(' '))
            .Where(fields => fields.Length > 2 && (path == fields[1] || path.StartsWith(fields[1].TrimEnd('/') + "/", StringComparison.Ordinal)))
            .MaxBy(fields => fields[1].Length);
        return mount is null ? "unknown file system" : $"{mount[2]} on {mount[0]}";
    }
}
