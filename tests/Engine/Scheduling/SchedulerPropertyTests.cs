using OpenGradient.Engine.Serving.Scheduling;

namespace OpenGradient.Engine.Engine.Tests.Scheduling;

/// <summary>Random use against lists that hold what should wait; the seed in a failure's name repeats it.</summary>
public sealed class SchedulerPropertyTests
{
    private const int MaxBatch = 16;

    private static readonly string?[] Callers = [null, "a", "b", "c", "d", "e"];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Theory, MemberData(nameof(Seeds))]
    public void Use_AtRandom_KeepsOrderCountsAndFits(int seed)
    {
        var random = new Random(seed);
        var scheduler = Scheduling.Create(callerLimit: 20, limits: [30, int.MaxValue, 40]);
        var model = new Model();
        for (var step = 0; step < 3000; step++)
        {
            switch (random.Next(8))
            {
                case 0 or 1 or 2: Admit(scheduler, model, random); break;
                case 3 when model.OnTheirWay.Count > 0: Arrive(scheduler, model, random); break;
                case 4 when model.All.Count > 0: End(scheduler, model, random); break;
                case 5 when model.All.Count > 0: Downgrade(scheduler, model, random); break;
                case 6: PutBack(scheduler, model, random); break;
                default: Collect(scheduler, model, random); break;
            }

            model.Check(scheduler);
        }

        while (model.OnTheirWay.Count > 0) Arrive(scheduler, model, random);
        while (model.Linked > 0) Collect(scheduler, model, random);
        model.Check(scheduler);
        Assert.Equal((0, 0), (scheduler.Requests, scheduler.NamedCallers));
    }

    [Theory, MemberData(nameof(Seeds))]
    public void Take_CallersThatAlwaysWait_DifferByNoMoreThanTheirLargestRequests(int seed)
    {
        var random = new Random(seed);
        var scheduler = Scheduling.Create();
        var sizes = Callers.ToDictionary(caller => caller ?? "", _ => random.Next(1, MaxBatch + 1));
        var served = sizes.ToDictionary(size => size.Key, _ => 0);
        void Refill(string? caller) => scheduler.Enqueue(caller, rows: random.Next(1, sizes[caller ?? ""] + 1));
        foreach (var caller in Callers) Refill(caller);
        foreach (var caller in Callers) Refill(caller);
        for (var i = 0; i < 2000; i++)
        {
            var next = scheduler.Next();
            Refill(next.Caller);
            served[next.Caller ?? ""] += next.Rows;
            Assert.True(served.Values.Max() - served.Values.Min() <= 2 * sizes.Values.Max(), $"seed {seed}, step {i}: {string.Join(", ", served)}");
        }
    }

    private static void Admit(RequestScheduler scheduler, Model model, Random random)
    {
        var caller = Callers[random.Next(Callers.Length)];
        var entry = new Entry { Caller = caller, Priority = (RequestPriority)random.Next(3), Rows = random.Next(1, MaxBatch + 1), Shape = random.Next(2) };
        var refusal = scheduler.TryCount(entry, caller);
        Assert.Equal(model.ExpectedRefusal(entry), refusal);
        if (refusal != Refusal.None) return;
        model.All.Add(entry);
        model.OnTheirWay.Add(entry);
    }

    private static void Arrive(RequestScheduler scheduler, Model model, Random random)
    {
        var entry = model.OnTheirWay[random.Next(model.OnTheirWay.Count)];
        model.OnTheirWay.Remove(entry);
        scheduler.Add(entry);
        model.Queue(entry).Add(entry);
    }

    private static void End(RequestScheduler scheduler, Model model, Random random)
    {
        var entry = model.All[random.Next(model.All.Count)];
        var wasLinked = model.Queue(entry).Remove(entry);
        Assert.Equal(wasLinked, scheduler.Remove(entry));
        model.OnTheirWay.Remove(entry);
        model.All.Remove(entry);
    }

    private static void Downgrade(RequestScheduler scheduler, Model model, Random random)
    {
        var entry = model.All[random.Next(model.All.Count)];
        if (entry.Priority == RequestPriority.Low) return;
        var wasLinked = model.Queue(entry).Remove(entry);
        Assert.True(scheduler.TryDowngrade(entry));
        if (wasLinked) model.Queue(entry).Add(entry);
    }

    private static void PutBack(RequestScheduler scheduler, Model model, Random random)
    {
        var entry = new Entry { Caller = null, Priority = RequestPriority.Normal, Rows = random.Next(1, MaxBatch + 1), Shape = random.Next(2) };
        scheduler.PutBack(entry);
        model.All.Add(entry);
        model.Queue(entry).Insert(0, entry);
    }

    private static void Collect(RequestScheduler scheduler, Model model, Random random)
    {
        var batch = new CollectedBatch(random.Next(1, MaxBatch + 1));
        while (true)
        {
            var take = scheduler.TryTake(batch, out var taken);
            Assert.Equal(model.Linked == 0, take == Take.Empty);
            if (take != Take.Taken)
            {
                Assert.True(take == Take.Empty || batch.Entries.Count > 0, "the first request of a batch did not fit");
                return;
            }

            var entry = (Entry)taken!;
            Assert.Equal(Fit.Yes, batch.Check(entry));
            Assert.Same(model.Queue(entry)[0], entry);
            model.Queue(entry).RemoveAt(0);
            model.All.Remove(entry);
            batch.Entries.Add(entry);
        }
    }

    private sealed class Model
    {
        private readonly Dictionary<(RequestPriority, string), List<Entry>> _queues = [];

        /// <summary>Counted: linked or on their way.</summary>
        public List<Entry> All { get; } = [];

        public List<Entry> OnTheirWay { get; } = [];

        public int Linked => All.Count - OnTheirWay.Count;

        public List<Entry> Queue(Entry entry)
        {
            var key = (entry.Priority, entry.Caller ?? "");
            if (!_queues.TryGetValue(key, out var queue)) _queues.Add(key, queue = []);
            return queue;
        }

        public Refusal ExpectedRefusal(Entry entry)
        {
            var limit = entry.Priority switch { RequestPriority.High => 30, RequestPriority.Low => 40, _ => int.MaxValue };
            if (All.Count(other => other.Priority == entry.Priority) >= limit) return Refusal.PriorityFull;
            return entry.Caller is not null && All.Count(other => other.Caller == entry.Caller) >= 20 ? Refusal.CallerFull : Refusal.None;
        }

        public void Check(RequestScheduler scheduler)
        {
            Assert.Equal(All.Count, scheduler.Requests);
            Assert.Equal(All.Sum(entry => entry.Rows), scheduler.Rows);
            Assert.Equal(Linked, scheduler.Linked);
            Assert.Equal(All.Where(entry => entry.Caller is not null).Select(entry => entry.Caller).Distinct().Count(), scheduler.NamedCallers);
        }
    }
}
