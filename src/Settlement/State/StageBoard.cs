using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>
/// Announces stage changes to waiters, subscribers and counters. Derived from entries alone; guarded by the state's
/// lock, so everything here must be short and must not call out.
/// </summary>
internal sealed class StageBoard(TrustGapObjective objective)
{
    /// <summary>Subscribers at once. 256: each costs a bounded channel; more belong behind a proxy.</summary>
    private const int MaxSubscribers = 256;

    private readonly long[] _receipts = new long[7];
    private readonly GapHistogram[] _gaps = [new(), new(), new(), new(), new(), new(), new()];
    private readonly List<StageSubscription> _subscribers = [];
    private readonly Queue<StatementEntry> _open = new();
    private readonly ObjectiveBoard _objective = new(objective);
    private readonly CloseCounts _closes = new();

    // Written under the lock; read without it by admission, once per request.
    private long _openReceipts;
    private ulong _oldestOpen;

    /// <summary>Off while the journal is replayed: gaps of an earlier life are not this process's measurements.</summary>
    public bool Measuring { get; private set; }

    public ModelTable Models { get; } = new();

    /// <summary>The replay is over.</summary>
    public void StartMeasuring()
    {
        Measuring = _objective.Measuring = true;
        Models.RetireIdle();
    }

    public void Closed(CloseReason reason, ulong at) => _closes.Add(reason, at, Measuring);

    public void Enter(StatementEntry entry)
    {
        _receipts[(int)entry.Announced] += entry.Receipts;
        _open.Enqueue(entry);
        entry.Series.Enter(entry);
        _objective.Enter(entry);
        CountOpen();
    }

    /// <summary>An entry of a snapshot, at the stage where it stands.</summary>
    public void Restore(StatementEntry entry)
    {
        entry.IsJudged = _objective.IsOver(entry.Announced);
        Enter(entry);
    }

    /// <summary>Receipts of final statements that are in no entry count on.</summary>
    public void CountArchived(long receipts) => _receipts[(int)ReceiptStage.Final] += receipts;

    /// <summary>An entry that never became durable goes away.</summary>
    public void Leave(StatementEntry entry)
    {
        var stage = entry.Announced;
        _receipts[(int)stage] -= entry.Receipts;
        Release(entry, new(WaitStatus.NotStored, stage));
        entry.Announced = ReceiptStage.Quarantined; // so that the queues of open entries let it go
        entry.IsJudged = true; // its holder's promise is not this host's until it comes back
        Models.Of(entry).Leave(entry, stage);
        CountOpen();
    }

    /// <summary>Called after an entry changed; does nothing when its stage did not.</summary>
    public void Update(StatementEntry entry, ulong now)
    {
        var (before, stage) = (entry.Announced, entry.Stage);
        if (stage == before) return;
        if (IsClosed(before)) _open.Enqueue(entry);
        _receipts[(int)before] -= entry.Receipts;
        _receipts[(int)stage] += entry.Receipts;
        entry.Announced = stage;
        Models.Of(entry).Move(entry, before);
        _objective.Moved(entry, stage, now);
        if (IsClosed(before) != IsClosed(stage)) CountOpen();
        if (Measuring) Measure(entry, stage, now);
        foreach (var subscriber in _subscribers) subscriber.Offer(new(entry.Id, entry.Receipts, stage, now, 0));
        WakeWaiters(entry);
    }

    public static Task<WaitOutcome> Wait(StatementEntry entry, ReceiptStage stage, CancellationToken cancellationToken)
    {
        var waiter = new StageWaiter(stage);
        (entry.Waiters ??= []).Add(waiter);
        WakeWaiters(entry);
        return waiter.Done.IsCompleted ? waiter.Done : waiter.Done.WaitAsync(cancellationToken);
    }

    /// <summary>Null when too many are subscribed already.</summary>
    public StageSubscription? Subscribe(int capacity, Action<StageSubscription> leave)
    {
        if (_subscribers.Count >= MaxSubscribers) return null;
        var subscription = new StageSubscription(capacity, leave);
        _subscribers.Add(subscription);
        return subscription;
    }

    public void Unsubscribe(StageSubscription subscription) => _subscribers.Remove(subscription);

    /// <summary>May be read without the lock.</summary>
    public long OpenReceipts => Volatile.Read(ref _openReceipts);

    /// <summary>Since when the oldest open statement is here; null when none is open. May be read without the lock.</summary>
    public ulong? OldestOpen => Volatile.Read(ref _oldestOpen) is var oldest and not 0 ? oldest : null;

    public TrustGapSnapshot Snapshot(ulong now)
    {
        var open = Enum.GetValues<ReceiptStage>().Where(stage => !IsClosed(stage)).ToDictionary(stage => stage, stage => _receipts[(int)stage]);
        var age = OldestOpen is { } oldest && now > oldest ? TimeSpan.FromTicks((long)((now - oldest) / 100)) : TimeSpan.Zero;
        return new(
            open, OpenReceipts, age, _receipts[(int)ReceiptStage.Final], _receipts[(int)ReceiptStage.Quarantined],
            Gap(ReceiptStage.Durable), Gap(ReceiptStage.Verified), Gap(ReceiptStage.Anchored), Gap(ReceiptStage.Final))
        {
            OldestByStage = open.Keys.ToDictionary(stage => stage, stage => Models.All.Max(model => model.OldestAt(stage, now))),
            Objective = _objective.Snapshot(now),
            Closes = _closes.Snapshot(),
        };
    }

    private void Measure(StatementEntry entry, ReceiptStage stage, ulong now)
    {
        var gap = now > entry.ExecutedAt ? now - entry.ExecutedAt : 0; // a clock that was set back makes no gap
        _gaps[(int)stage].Add(gap, entry.Receipts);
        Models.Of(entry).Measure(stage, gap, entry.Receipts);
    }

    private void CountOpen()
    {
        long open = 0;
        for (var stage = 0; stage < _receipts.Length; stage++)
            if (!IsClosed((ReceiptStage)stage)) open += _receipts[stage];
        Volatile.Write(ref _openReceipts, open);
        while (_open.TryPeek(out var entry) && IsClosed(entry.Announced)) _open.Dequeue();
        Volatile.Write(ref _oldestOpen, _open.TryPeek(out var oldest) ? oldest.Since : 0);
    }

    private static bool IsClosed(ReceiptStage stage) => stage is ReceiptStage.Final or ReceiptStage.Quarantined;

    private GapPercentiles Gap(ReceiptStage stage) => _gaps[(int)stage].Snapshot();

    private static void WakeWaiters(StatementEntry entry)
    {
        var stage = entry.Stage;
        if (stage == ReceiptStage.Quarantined)
        {
            foreach (var waiter in entry.Waiters ?? []) waiter.Complete(new(waiter.Stage == stage ? WaitStatus.Reached : WaitStatus.Quarantined, stage));
            entry.Waiters = null;
            return;
        }

        // A reopened receipt still is verified, and no more than that.
        var reached = stage == ReceiptStage.Reopened ? ReceiptStage.Verified : stage;
        foreach (var waiter in entry.Waiters ?? [])
            if (waiter.Stage <= reached || waiter.Stage == stage) waiter.Complete(new(WaitStatus.Reached, stage));
        entry.Waiters?.RemoveAll(waiter => waiter.Done.IsCompleted);
    }

    private static void Release(StatementEntry entry, WaitOutcome outcome)
    {
        foreach (var waiter in entry.Waiters ?? []) waiter.Complete(outcome);
        entry.Waiters = null;
    }
}
