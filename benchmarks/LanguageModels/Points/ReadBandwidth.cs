using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Points;

/// <summary>How many bytes per second the cores read together from memory that no cache holds: what a step of one sequence is bound by.</summary>
internal sealed unsafe class ReadBandwidth : IDisposable
{
    // Several times the last-level cache of the machines this runs on, whose own rate is not meant.
    private const long Bytes = 1L << 30;

    private const int HugePage = 2 << 20, AdviseHugePages = 14;

    // The processor's own prefetcher stops at 4 KiB.
    private const int Ahead = 4096;

    private readonly int _threads;
    private readonly byte* _memory;
    private ulong _sink;

    public ReadBandwidth(int threads)
    {
        _threads = threads;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)Bytes, HugePage);
        // As the weights lie: a walk through tables of small pages would be measured too. A system without them serves small ones.
        _ = Advise(_memory, (nuint)Bytes, AdviseHugePages);
        new Span<byte>(_memory, 1 << 30).Fill(1);
    }

    /// <summary>Reads everything once.</summary>
    public double Measure()
    {
        var share = Bytes / _threads / 4096 * 4096;
        var sums = new ulong[_threads * 16];
        using var barrier = new Barrier(_threads + 1);
        var threads = Enumerable.Range(0, _threads).Select(i => new Thread(() =>
        {
            barrier.SignalAndWait();
            sums[i * 16] = Sum(_memory + (i * share), share);
            barrier.SignalAndWait();
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        barrier.SignalAndWait();
        var seconds = Timing.Seconds(barrier.SignalAndWait);
        foreach (var thread in threads) thread.Join();
        foreach (var sum in sums) _sink += sum;
        return share * _threads / seconds;
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);

    [DllImport("libc", EntryPoint = "madvise")]
    private static extern int Advise(void* from, nuint bytes, int advice);

    // Eight independent sums, so that no chain of additions is waited for.
    private static ulong Sum(byte* from, long bytes)
    {
        var (a, b, c, d) = (Vector512<ulong>.Zero, Vector512<ulong>.Zero, Vector512<ulong>.Zero, Vector512<ulong>.Zero);
        var (e, f, g, h) = (a, b, c, d);
        for (long at = 0; at < bytes; at += 512)
        {
            var line = (ulong*)(from + at);
            for (var i = 0; i < 512; i += 64) Sse.Prefetch0(from + at + Ahead + i);
            a += Vector512.Load(line);
            b += Vector512.Load(line + 8);
            c += Vector512.Load(line + 16);
            d += Vector512.Load(line + 24);
            e += Vector512.Load(line + 32);
            f += Vector512.Load(line + 40);
            g += Vector512.Load(line + 48);
            h += Vector512.Load(line + 56);
        }

        return Vector512.Sum(a + b + c + d + e + f + g + h);
    }
}
