using System.Diagnostics;
using System.Globalization;

namespace OpenGradient.Engine.Benchmarks.Report;

/// <summary>
/// How much of the machine others took while a point ran: processor time of all processes, from /proc/stat, less that of this one
/// and of its children. A reader sees by it when a figure was disturbed.
/// </summary>
internal sealed class MachineShare
{
    private const double TicksPerSecond = 100; // USER_HZ, the unit of /proc/stat

    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly (double Busy, double Own) _first = Read();

    public string Describe(string name)
    {
        var seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        var (busy, own) = Read();
        var others = Math.Max(0, busy - _first.Busy - (own - _first.Own)) / seconds;
        return string.Create(CultureInfo.InvariantCulture, $"{name}: {seconds:0} s, load average {Machine.LoadAverage():0.0}, others took {others:0.00} of {Environment.ProcessorCount} cores");
    }

    // Children that still run are found by walking /proc; those that ended are in this process's cutime.
    private static (double Busy, double Own) Read()
    {
        var total = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        // user, nice, system, irq, softirq, steal: what a core was busy with, or kept from.
        var busy = new[] { 1, 2, 3, 6, 7, 8 }.Sum(i => Number(total[i]));
        return (busy / TicksPerSecond, OfTree() / TicksPerSecond);
    }

    private static double OfTree()
    {
        var processes = new Dictionary<int, (int Parent, double Ticks)>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)) continue;
            try
            {
                // The name in brackets may hold blanks: fields are counted behind it.
                var text = File.ReadAllText(Path.Combine(folder, "stat"));
                var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
                processes[id] = ((int)Number(fields[1]), Enumerable.Range(11, 4).Sum(i => Number(fields[i])));
            }
            catch (IOException)
            {
                // It ended while we looked.
            }
        }

        return processes.Where(pair => IsOurs(pair.Key)).Sum(pair => pair.Value.Ticks);

        bool IsOurs(int id)
        {
            for (; processes.TryGetValue(id, out var process); id = process.Parent)
                if (id == Environment.ProcessId) return true;
            return false;
        }
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
