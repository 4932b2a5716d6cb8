using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Settling;

/// <summary>
/// The loop behind the fast path. Read it top to bottom: durable, verified, in the log, anchored, final. It only reads
/// durable state and writes the journal, so killing it anywhere loses nothing and repeats nothing.
/// </summary>
internal sealed class Settler(SpaceProbe space, Intake intake, ChainStep chainStep, WakeSignal wake, SettlementOptions options, TimeProvider clock)
{
    /// <summary>Runs until cancelled.</summary>
    /// <exception cref="SettlementStoppedException">The outbox has failed.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var (chain, probe) = (Task.CompletedTask, Task.CompletedTask);
        var lastLook = clock.GetTimestamp() - clock.TimestampFrequency; // the first look is due at once
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                if (probe.IsCompleted)
                {
                    await probe.ConfigureAwait(false);
                    probe = space.RegainAsync(cancellationToken);
                }

                await TakeInAsync(cancellationToken).ConfigureAwait(false);
                // A slow node must not hold up verification: its step runs beside, one at a time.
                if (chain.IsCompleted)
                {
                    await chain.ConfigureAwait(false);
                    if (clock.GetElapsedTime(lastLook) >= options.PollInterval)
                    {
                        lastLook = clock.GetTimestamp();
                        chain = LookAsync(cancellationToken);
                    }
                }

                await wake.WaitAsync(options.PollInterval, clock, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
        finally
        {
            await Task.WhenAll(chain, probe).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).ConfigureAwait(false);
        }
    }

    /// <summary>One pass over everything, in order: what <see cref="RunAsync"/> does, without waiting.</summary>
    public async Task TickAsync(CancellationToken cancellationToken)
    {
        await TakeInAsync(cancellationToken).ConfigureAwait(false);
        await LookAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task TakeInAsync(CancellationToken cancellationToken)
    {
        if (options.Verifies) await intake.VerifyAsync(cancellationToken).ConfigureAwait(false);
        else intake.SkipVerified();
        try
        {
            await intake.SequenceAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (StaleRecordException)
        {
            // Another process was faster; the next pass decides anew.
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            await chainStep.TickAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception passing) when (passing is StaleRecordException or OutboxUnavailableException)
        {
            // Another process was faster, or the database is away: the next look decides anew.
        }
    }
}
