using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace OpenGradient.Engine.Benchmarks.LanguageModels.Sides;

/// <summary>
/// The thread that makes all calls of one side. Both sides' kernels set up the processor's tile registers once per thread and take
/// for granted that nobody else does: on one thread they would run into each other.
/// </summary>
internal sealed class SideThread : IDisposable
{
    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;

    public SideThread(string name)
    {
        _thread = new Thread(() =>
        {
            foreach (var action in _work.GetConsumingEnumerable()) action();
        }) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Whole windows, so that changing threads is not in the time.</summary>
    public T Run<T>(Func<T> work)
    {
        var done = new TaskCompletionSource<T>();
        _work.Add(() =>
        {
            try
            {
                done.SetResult(work());
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        });
        try
        {
            return done.Task.Result;
        }
        catch (AggregateException error) when (error.InnerException is { } inner)
        {
            ExceptionDispatchInfo.Capture(inner).Throw();
            throw;
        }
    }

    public void Run(Action work) => Run(() =>
    {
        work();
        return 0;
    });

    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }
}
