using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Settling;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Witnessing;

/// <summary>
/// Submits each new checkpoint to every witness, behind the fast path and beside the settler: anchoring waits for none of
/// them. Only before the first checkpoint of a process are they asked first, so that an old disk is noticed in time.
/// </summary>
internal sealed class WitnessRound : IDisposable
{
    /// <summary>Time between two looks where the last one failed. 5 s: a witness that restarts is back by then.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(5);

    private static readonly (ConditionKind Kind, string Advice)[] Troubles =
    [
        (ConditionKind.WitnessAhead, "an old copy of the data folder was restored: bring back the newest one; nothing is signed until then"),
        (ConditionKind.WitnessDisagrees, "another engine uses this log's key, or the data folder belongs to another installation, or the witness is wrong: compare its checkpoint with the log (og audit); nothing is signed until it is cleared up"),
        (ConditionKind.WitnessUnavailable, "settlement goes on; receipts whose reader asks for this witness wait for it"),
    ];

    private readonly WitnessSession[] _sessions;
    private readonly bool[] _asked;
    private readonly LogWriter _log;
    private readonly ConditionBoard _conditions;
    private readonly SettlementOptions _options;
    private readonly TimeProvider _clock;
    private readonly Lock _gate = new(); // guards _asked and what is said of all together
    private readonly WitnessInstruments? _instruments;

    public WitnessRound(SettlementState state, JournalWriter journal, LogWriter log, ConditionBoard conditions, SettlementOptions options, SettlementParts parts, Hash256 logId)
    {
        (_log, _conditions, _options, _clock) = (log, conditions, options, parts.Clock);
        _asked = new bool[options.Witnesses.Count];
        _sessions = [.. options.Witnesses.Select(witness => new WitnessSession(
            state, journal, new WitnessClient(parts.Http ?? throw Missing(nameof(parts.Http)), witness), witness, parts.Signatures ?? throw Missing(nameof(parts.Signatures)), logId))];
        if (_sessions.Length == 0) return;
        conditions.Set(ConditionKind.WitnessesUnasked, "the witnesses are asked what they know before the first checkpoint is signed", "ends by itself within seconds, also when a witness does not answer");
        _instruments = new WitnessInstruments(() => Status);
    }

    public IReadOnlyList<WitnessStatus> Status => [.. _sessions.Select(session => session.Status)];

    /// <summary>One look at each witness, in turn.</summary>
    public async Task TickAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < _sessions.Length; i++) await LookAsync(i, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Follows every witness until the work ends or the caller cancels; what ends either ends both.</summary>
    public async Task RunBesideAsync(Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        if (_sessions.Length == 0)
        {
            await work(cancellationToken).ConfigureAwait(false);
            return;
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task[] all = [work(ending.Token), .. _sessions.Select((_, index) => FollowAsync(index, ending.Token))];
        try
        {
            await (await Task.WhenAny(all).ConfigureAwait(false)).ConfigureAwait(false);
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(all).ConfigureAwait(false);
        }
    }

    public void Dispose() => _instruments?.Dispose();

    private async Task FollowAsync(int index, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await LookAsync(index, cancellationToken).ConfigureAwait(false);
                var pause = _sessions[index].Status.Trouble is null ? _options.PollInterval : RetryAfter;
                await Task.Delay(pause, _clock, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    private async Task LookAsync(int index, CancellationToken cancellationToken)
    {
        var isNew = await _sessions[index].LookAsync(cancellationToken).ConfigureAwait(false);
        lock (_gate)
        {
            _asked[index] = true;
            foreach (var (kind, advice) in Troubles)
            {
                var said = Status.Where(status => status.Trouble == kind).Select(status => status.Detail).ToArray();
                if (said.Length == 0) _conditions.Clear(kind);
                else _conditions.Set(kind, string.Join("; ", said), advice);
            }

            // After the others: what forbids signing stands before this one falls.
            if (_asked.All(asked => asked)) _conditions.Clear(ConditionKind.WitnessesUnasked);
        }

        if (isNew) _log.PublishDue();
    }

    private static ArgumentException Missing(string part) => new($"the options name witnesses, but {part} is not given");
}
