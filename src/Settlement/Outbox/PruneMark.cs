using System.Globalization;
using System.Text;
using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Settlement.Outbox;

/// <summary>
/// The file <c>pruned</c>: one line, "OGE pruned v1 N": segments below N may be absent. Written before any is deleted, so
/// that a missing segment which nobody pruned is still noticed.
/// </summary>
internal static class PruneMark
{
    private const string Name = "pruned";
    private const string Tag = "OGE pruned v1 ";
    private const string Family = "OGE pruned v";

    public static uint Read(IDisk disk, string folder)
    {
        if (AtomicFile.Read(disk, Path.Combine(folder, Name), 64) is not { } bytes) return 1;
        var text = Encoding.ASCII.GetString(bytes);
        if (text.StartsWith(Tag, StringComparison.Ordinal) && uint.TryParse(text.AsSpan(Tag.Length).TrimEnd('\n'), NumberStyles.None, CultureInfo.InvariantCulture, out var floor) && floor > 0) return floor;
        throw new OutboxDamagedException(text.StartsWith(Family, StringComparison.Ordinal)
            ? $"outbox: the file {Name} has another format version; use the release that wrote it or a newer one"
            : $"outbox: the file {Name} is damaged; it says below which segment none need be there. Restore it from a copy.");
    }

    public static void Write(IDisk disk, string folder, uint floor)
    {
        AtomicFile.Write(disk, Path.Combine(folder, Name), Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Tag}{floor}\n")));
        disk.SyncFolder(folder);
    }
}
