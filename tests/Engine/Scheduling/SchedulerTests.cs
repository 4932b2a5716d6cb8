using OpenGradient.Engine.Serving.Scheduling;

namespace OpenGradient.Engine.Engine.Tests.Scheduling;

public sealed class SchedulerTests
{
    private readonly RequestScheduler _scheduler = Scheduling.Create();

    [Fact]
    public void Take_OneCaller_IsFirstInFirstOut()
    {
        Entry[] entries = [.. Enumerable.Range(0, 10).Select(_ => _scheduler.Enqueue("a"))];
        Assert.Equal(entries, entries.Select(_ => _scheduler.Next()));
        Assert.Equal(Take.Empty, _scheduler.TryTake(new CollectedBatch(1), out _));
    }

    [Fact]
    public void Take_SeveralPriorities_HigherGoFirst()
    {
        var low = _scheduler.Enqueue("a", RequestPriority.Low);
        var normal = _scheduler.Enqueue("a");
        var high = _scheduler.Enqueue("a", RequestPriority.High);
        Assert.Equal([high, normal, low], [_scheduler.Next(), _scheduler.Next(), _scheduler.Next()]);
    }

    [Fact]
    public void Take_HighNeverEnds_LowerPrioritiesGetOneRowInSixteenEach()
    {
        var served = new int[3];
        for (var i = 0; i < 100; i++)
        {
            _scheduler.Enqueue("n");
            _scheduler.Enqueue("l", RequestPriority.Low);
        }

        for (var i = 0; i < 1600; i++)
        {
            _scheduler.Enqueue("h", RequestPriority.High);
            served[(int)_scheduler.Next().Priority]++;
        }

        Assert.InRange(served[1], 93, 107);
        Assert.InRange(served[2], 93, 107);
    }

    [Fact]
    public void Take_LowRequestOfManyRows_PaysForThem()
    {
        for (var i = 0; i < 100; i++) _scheduler.Enqueue("l", RequestPriority.Low, rows: 10);
        var (high, low) = (0, 0);
        for (var i = 0; i < 1600; i++)
        {
            _scheduler.Enqueue("h", RequestPriority.High);
            var next = _scheduler.Next();
            if (next.Priority == RequestPriority.High) high += next.Rows;
            else low += next.Rows;
        }

        Assert.InRange(low, high / 16, high / 14 + 10);
    }

    [Fact]
    public void Take_4000OfOneCaller_AnothersSingleIsAmongTheNextTwo()
    {
        for (var i = 0; i < 4000; i++) _scheduler.Enqueue("greedy");
        for (var i = 0; i < 10; i++) _scheduler.Next();
        var single = _scheduler.Enqueue("modest");
        Assert.Contains(single, new[] { _scheduler.Next(), _scheduler.Next() });
    }

    [Fact]
    public void Take_AnonymousCaller_IsOneAmongTheOthers()
    {
        for (var i = 0; i < 100; i++) _scheduler.Enqueue(null);
        _scheduler.Next();
        var named = _scheduler.Enqueue("a");
        Assert.Contains(named, new[] { _scheduler.Next(), _scheduler.Next() });
    }

    [Fact]
    public void Take_RequestsOfDifferentSize_CallersGetTheSameRows()
    {
        for (var i = 0; i < 400; i++) _scheduler.Enqueue("small");
        for (var i = 0; i < 100; i++) _scheduler.Enqueue("large", rows: 8);
        var rows = new Dictionary<string, int> { ["small"] = 0, ["large"] = 0 };
        while (rows.Values.Sum() < 400)
        {
            var next = _scheduler.Next();
            rows[next.Caller!] += next.Rows;
            Assert.InRange(rows["small"] - rows["large"], -8, 8);
        }
    }

    [Fact]
    public void Take_NextHasTooManyRows_BeginsTheNextBatch()
    {
        _scheduler.Enqueue("a", rows: 60);
        var large = _scheduler.Enqueue("a", rows: 8);
        _scheduler.Enqueue("a");
        var (first, end) = _scheduler.NextBatch(64);
        Assert.Single(first);
        Assert.Equal(Take.TooManyRows, end);
        Assert.Same(large, _scheduler.NextBatch(64).Entries[0]);
    }

    [Fact]
    public void Take_CallersOfTwoShapes_BatchesAreFullAndShared()
    {
        for (var i = 0; i < 256; i++)
        {
            _scheduler.Enqueue("a", shape: 1);
            _scheduler.Enqueue("b", shape: 2);
        }

        var batches = Enumerable.Range(0, 8).Select(_ => _scheduler.NextBatch(64).Entries).ToArray();
        Assert.All(batches, batch => Assert.Equal(64, batch.Count));
        Assert.Equal(4, batches.Count(batch => batch[0].Shape == 1));
        // Nobody gets two batches more than the other.
        var ahead = 0;
        foreach (var batch in batches) Assert.InRange(ahead += batch[0].Shape == 1 ? 1 : -1, -1, 1);
    }

    [Fact]
    public void Take_OwnShapeChanges_EndsTheBatch()
    {
        _scheduler.Enqueue("a", shape: 1);
        _scheduler.Enqueue("a", shape: 2);
        var (entries, end) = _scheduler.NextBatch(64);
        Assert.Single(entries);
        Assert.Equal(Take.OtherShape, end);
    }

    [Fact]
    public void Take_LowerPriorityOfAnotherShape_BeginsABatchWhenItIsDue()
    {
        var other = _scheduler.Enqueue("odd", shape: 2);
        for (var i = 0; i < 300; i++) _scheduler.Enqueue("even");
        for (var batch = 0; batch < 4; batch++)
        {
            for (var i = 0; i < 64; i++) _scheduler.Enqueue("high", RequestPriority.High);
            if (_scheduler.NextBatch(64).Entries.Contains(other)) return;
        }

        Assert.Fail("the request of another shape was never served");
    }

    [Fact]
    public void Remove_Linked_IsNotTakenAndFreesItsPlace()
    {
        var first = _scheduler.Enqueue("a");
        var middle = _scheduler.Enqueue("a");
        var last = _scheduler.Enqueue("a");
        Assert.True(_scheduler.Remove(middle));
        Assert.False(_scheduler.Remove(middle));
        Assert.Equal([first, last], [_scheduler.Next(), _scheduler.Next()]);
        Assert.Equal((0, 0L, 0, 0), (_scheduler.Requests, _scheduler.Rows, _scheduler.Linked, _scheduler.NamedCallers));
    }

    [Fact]
    public void Remove_OnItsWay_FreesItsPlace()
    {
        var entry = new Entry { Caller = "a", Rows = 3 };
        Assert.Equal(Refusal.None, _scheduler.TryCount(entry, "a"));
        Assert.Equal((1, 3L, 0), (_scheduler.Requests, _scheduler.Rows, _scheduler.Linked));
        Assert.False(_scheduler.Remove(entry));
        Assert.Equal((0, 0), (_scheduler.Requests, _scheduler.NamedCallers));
    }

    [Fact]
    public void PutBack_Taken_IsTheNextOfItsPriority()
    {
        for (var i = 0; i < 3; i++) _scheduler.Enqueue("a");
        _scheduler.Enqueue("b");
        var taken = new Entry { Caller = null, Priority = RequestPriority.Normal, Rows = 5 };
        _scheduler.PutBack(taken);
        Assert.Same(taken, _scheduler.Next());
    }

    [Fact]
    public void TryDowngrade_Waiting_GoesBehindTheLowerPriority()
    {
        var high = _scheduler.Enqueue("a", RequestPriority.High);
        var normal = _scheduler.Enqueue("a");
        Assert.True(_scheduler.TryDowngrade(high));
        Assert.Equal(RequestPriority.Normal, high.Priority);
        Assert.Equal([normal, high], [_scheduler.Next(), _scheduler.Next()]);
        Assert.False(_scheduler.TryDowngrade(high));
    }

    [Fact]
    public void TryCount_CallerHasItsShare_IsRefusedWhileOthersAreNot()
    {
        var scheduler = Scheduling.Create(callerLimit: 2);
        scheduler.Enqueue("a");
        scheduler.Enqueue("a", RequestPriority.Low);
        Assert.Equal(Refusal.CallerFull, scheduler.TryCount(new Entry { Caller = "a", Rows = 1 }, "a"));
        scheduler.Enqueue("b");
        for (var i = 0; i < 5; i++) scheduler.Enqueue(null);
        while (scheduler.Next().Caller != "a") { }
        scheduler.Enqueue("a");
    }

    [Fact]
    public void TryCount_PriorityIsFull_IsRefusedWhileOthersAreNot()
    {
        var scheduler = Scheduling.Create(limits: [1, int.MaxValue, int.MaxValue]);
        scheduler.Enqueue("a", RequestPriority.High);
        Assert.Equal(Refusal.PriorityFull, scheduler.TryCount(new Entry { Caller = "b", Rows = 1, Priority = RequestPriority.High }, "b"));
        Assert.Equal(1, scheduler.NamedCallers);
        scheduler.Enqueue("b");
    }

    [Fact]
    public void WorkBefore_AnotherCallersThousands_CountAsItsOwnTurnOnly()
    {
        for (var i = 0; i < 1000; i++) _scheduler.Enqueue("greedy", rows: 2);
        Assert.Equal(2000, Before(RequestPriority.Normal, "greedy", 1));
        Assert.Equal(4, Before(RequestPriority.Normal, "modest", 4));
        Assert.Equal(0, Before(RequestPriority.High, "modest", 4));
        Assert.Equal(15 * 4, Before(RequestPriority.Low, "modest", 4));
        Assert.Equal(1000, _scheduler.WorkBefore(RequestPriority.Normal, "greedy", 1, 0, inRows: false));
    }

    [Fact]
    public void WorkBefore_Uncounted_IsTheAnonymousCallers()
    {
        Assert.Equal(70, _scheduler.WorkBefore(RequestPriority.Normal, null, 1, 70, inRows: true));
        Assert.Equal(1, _scheduler.WorkBefore(RequestPriority.Normal, "a", 1, 70, inRows: true));
        Assert.Equal(15, _scheduler.WorkBefore(RequestPriority.Low, null, 1, 70, inRows: true));
        Assert.Equal(0, _scheduler.WorkBefore(RequestPriority.High, null, 1, 70, inRows: true));
    }

    private long Before(RequestPriority priority, string caller, int rows) => _scheduler.WorkBefore(priority, caller, rows, 0, inRows: true);
}
