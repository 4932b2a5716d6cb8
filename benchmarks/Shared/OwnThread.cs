namespace OpenGradient.Engine.Benchmarks;

/// <summary>
/// Runs what measures outside the thread pool. A generator that blocked a pool thread would take it from the engine, and callers
/// started from there would wait in that thread's own queue for as long as the global one has work.
/// </summary>
internal static class OwnThread
{
    public static Task<T> Run<T>(Func<T> measure) =>
        Task.Factory.StartNew(measure, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
