namespace OpenGradient.Engine.EndToEnd.Tests.Running;

/// <summary>Waits for what must come. Limits are generous: they say that something hangs, never that it is slow.</summary>
internal static class Eventually
{
    public static TimeSpan Limit { get; } = TimeSpan.FromMinutes(3);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(40);

    public static Task Holds(string what, Func<Task<bool>> condition) => Value<object>(what, async () => await condition() ? new object() : null);

    /// <summary>The first value that is not null.</summary>
    public static async Task<T> Value<T>(string what, Func<Task<T?>> look, Func<string>? explain = null) where T : class
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (true)
        {
            var isOver = clock.Elapsed >= Limit; // read first: a process that was stopped for long looks once more
            if (await look() is { } value) return value;
            Assert.False(isOver, $"waited {Limit.TotalSeconds} s in vain: {what}\n{explain?.Invoke()}");
            await Task.Delay(Pause);
        }
    }
}
