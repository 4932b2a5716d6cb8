using OpenGradient.Engine.Settlement;

namespace OpenGradient.Engine.Benchmarks;

/// <summary>A settlement service with its loop, as a host runs it.</summary>
internal sealed class RunningService : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _settling;

    public RunningService(SettlementService service)
    {
        Service = service;
        _settling = Task.Run(() => service.RunAsync(_stopping.Token));
    }

    public SettlementService Service { get; }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        try
        {
            await _settling;
        }
        catch (OperationCanceledException)
        {
            // It was asked to.
        }

        Service.Dispose();
        _stopping.Dispose();
    }

    /// <summary>Returns once the condition holds.</summary>
    /// <exception cref="TimeoutException">It did not for <paramref name="limit"/>; the message says what settlement waits for.</exception>
    public async Task UntilAsync(Func<bool> condition, TimeSpan limit, TimeSpan pause, string what)
    {
        for (var start = TimeProvider.System.GetTimestamp(); !condition(); await Task.Delay(pause))
        {
            if (_settling.IsFaulted) await _settling;
            if (TimeProvider.System.GetElapsedTime(start) > limit)
                throw new TimeoutException($"waited {limit.TotalSeconds:0} s for {what}; {string.Join("; ", Service.Conditions.Select(condition => condition.Text).DefaultIfEmpty("no condition holds"))}");
        }
    }
}
