using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>
/// Opens again what was just closed here: a process that another test is just starting holds every lock of this one until it
/// executes its own program.
/// </summary>
internal static class Locks
{
    private const int Attempts = 3000; // a minute

    public static T Retake<T>(Func<T> open)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return open();
            }
            catch (OutboxLockedException) when (attempt < Attempts)
            {
                Thread.Sleep(20);
            }
        }
    }

    public static async Task<T> RetakeAsync<T>(Func<Task<T>> open)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await open();
            }
            catch (OutboxLockedException) when (attempt < Attempts)
            {
                await Task.Delay(20);
            }
        }
    }
}
