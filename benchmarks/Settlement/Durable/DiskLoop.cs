using System.Diagnostics;
using OpenGradient.Engine.Settlement.Disk;

namespace OpenGradient.Engine.Benchmarks.Settlement.Durable;

/// <summary>
/// The disk alone, asked as the outbox asks it: one thread, the same system calls, writes of one size one behind the other into a
/// file of a segment's size whose space was reserved, a sync behind each.
/// </summary>
internal static class DiskLoop
{
    private const int SegmentSize = 16 << 20, FirstOffset = 56;

    /// <summary>Writes with a sync behind each, per second. Making a new file when one is full is not counted.</summary>
    public static double SyncsPerSecond(string folder, int bytes, TimeSpan time)
    {
        var disk = new LinuxDisk();
        var content = new byte[bytes];
        Random.Shared.NextBytes(content);
        var path = Path.Combine(folder, "disk-loop");
        long syncs = 0;
        var busy = TimeSpan.Zero;
        while (busy < time)
        {
            using (var file = Reserve(disk, path))
            {
                var start = Stopwatch.GetTimestamp();
                for (var at = FirstOffset; at + bytes <= SegmentSize && busy + Stopwatch.GetElapsedTime(start) < time; at += bytes)
                {
                    file.Write(content, at);
                    file.Sync();
                    syncs++;
                }

                busy += Stopwatch.GetElapsedTime(start);
            }

            disk.Delete(path);
        }

        return syncs / busy.TotalSeconds;
    }

    private static IDiskFile Reserve(LinuxDisk disk, string path)
    {
        var file = disk.Open(path, create: true);
        file.Allocate(SegmentSize);
        file.Write(new byte[FirstOffset], 0);
        file.Sync();
        return file;
    }
}
