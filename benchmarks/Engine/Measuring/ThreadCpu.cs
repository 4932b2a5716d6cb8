using System.Runtime.InteropServices;

namespace OpenGradient.Engine.Benchmarks.Measuring;

/// <summary>CPU time of the calling thread, as the plain loops take theirs.</summary>
internal static partial class ThreadCpu
{
    private const int ThreadClock = 3;

    public static double Seconds()
    {
        Check(ClockGetTime(ThreadClock, out var time));
        return time.Seconds + (time.Nanoseconds / 1e9);
    }

    private static void Check(int result)
    {
        if (result != 0) throw new InvalidOperationException("clock_gettime failed");
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ClockGetTime(int clock, out Timespec time);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Timespec
    {
        public readonly long Seconds, Nanoseconds;
    }
}
