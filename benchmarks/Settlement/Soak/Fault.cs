using System.Collections.Concurrent;

namespace OpenGradient.Engine.Benchmarks.Settlement.Soak;

/// <summary>Everything that is done to host, node and the way between them.</summary>
internal enum Fault
{
    HostKilled,
    HostTerminated,
    DiskFull,
    NodeKilled,
    NodeSilent,
    ShallowReorganisation,
    DeepReorganisation,
    MempoolLost,
    BaseFeeSpike,
    AccountEmpty,
    AnswerDropped,
    AnswerAfterTheTimeout,
    AnswerLate,
    TooManyRequests,
    RefusedBy502,
    ErrorAfterTheNodeAccepted,
    Rubbish,
    AnswerCutOff,
}

/// <summary>Counts what was injected and what of it had an effect. Safe for concurrent calls.</summary>
internal sealed class FaultTally
{
    private readonly ConcurrentDictionary<Fault, (long Injected, long Bit)> _counts = new();
    private readonly ConcurrentDictionary<int, long> _depths = new();

    public void Add(Fault fault, bool bit) => _counts.AddOrUpdate(fault, (1, bit ? 1 : 0), (_, count) => (count.Injected + 1, count.Bit + (bit ? 1 : 0)));

    /// <summary>A reorganisation happened.</summary>
    public void Depth(int blocks) => _depths.AddOrUpdate(blocks, 1, (_, count) => count + 1);

    public (long Injected, long Bit) Of(Fault fault) => _counts.GetValueOrDefault(fault);

    public string Depths => string.Join(", ", _depths.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key}: {pair.Value}"));

    public static string Text(Fault fault) => fault switch
    {
        Fault.HostKilled => "host killed (SIGKILL), and back",
        Fault.HostTerminated => "host asked to end (SIGTERM), and back",
        Fault.DiskFull => "disk full for a while",
        Fault.NodeKilled => "node killed (SIGKILL), back with the state it had saved",
        Fault.NodeSilent => "node out of reach for a while",
        Fault.ShallowReorganisation => "reorganisation above the finality depth",
        Fault.DeepReorganisation => "reorganisation below the finality depth",
        Fault.MempoolLost => "mempool lost",
        Fault.BaseFeeSpike => "base fee spike",
        Fault.AccountEmpty => "paying account empty for a while",
        Fault.AnswerDropped => "node's answer dropped, connection reset",
        Fault.AnswerAfterTheTimeout => "no answer within the time-out, though the node accepted",
        Fault.AnswerLate => "node's answer late",
        Fault.TooManyRequests => "429",
        Fault.RefusedBy502 => "502, the node never saw it",
        Fault.ErrorAfterTheNodeAccepted => "503, though the node accepted",
        Fault.Rubbish => "200 with rubbish",
        Fault.AnswerCutOff => "200, cut off in the middle",
        _ => fault.ToString(),
    };

    public static string Bites(Fault fault) => fault switch
    {
        Fault.HostKilled => "a caller's request was cut",
        Fault.HostTerminated => "the host ended by itself with code 0",
        Fault.DiskFull => "the host named it (OutboxFull), or refused a caller",
        Fault.NodeKilled => "blocks were lost, or a call failed meanwhile",
        Fault.NodeSilent => "a call was refused meanwhile",
        Fault.ShallowReorganisation or Fault.DeepReorganisation => "an event of the contract was in the dropped blocks",
        Fault.MempoolLost => "a transaction was in it",
        Fault.BaseFeeSpike => "a transaction was pending and could not be mined",
        Fault.AccountEmpty => "the host named it, or the node refused a transaction",
        _ => "a call was hit",
    };
}

/// <summary>Draws kinds without putting them back until all were drawn, so that a short soak has seen every kind.</summary>
internal sealed class Deck(Fault[] kinds, Random random)
{
    private readonly Queue<Fault> _left = new();

    public Fault Draw()
    {
        if (_left.Count == 0)
        {
            var shuffled = kinds.ToArray();
            random.Shuffle(shuffled);
            foreach (var kind in shuffled) _left.Enqueue(kind);
        }

        return _left.Dequeue();
    }
}
