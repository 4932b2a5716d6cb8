using System.Diagnostics;

namespace OpenGradient.Engine.Engine.Tests.Faults;

/// <summary>Waits for what becomes true shortly after the last answer: a worker still has to meet what was cancelled.</summary>
internal static class Quiet
{
    // Only a failure waits this long.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    public static async Task Holds(Func<bool> condition, string what)
    {
        for (var start = Stopwatch.GetTimestamp(); !condition(); await Task.Delay(5))
            Assert.True(Stopwatch.GetElapsedTime(start) < Limit, $"not within {Limit.TotalSeconds} s: {what}");
    }
}
