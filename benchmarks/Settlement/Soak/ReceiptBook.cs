using System.Collections.Concurrent;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Benchmarks.Settlement.Soak;

/// <summary>What a caller knows of one acknowledged receipt.</summary>
/// <param name="Statement">Its statement; null when only the id came back before the host died.</param>
/// <param name="Receipt">Its bytes, kept of every so many.</param>
internal sealed record Acknowledged(Hash256? Statement, byte[]? Receipt);

/// <summary>Everything that callers were told, kept outside of the host. Safe for concurrent calls.</summary>
internal sealed class ReceiptBook
{
    private const int KeepOneIn = 16;

    private readonly ConcurrentDictionary<ReceiptId, Acknowledged> _acknowledged = new();
    private readonly ConcurrentQueue<byte[]> _promises = new();
    private readonly ConcurrentQueue<string> _violations = new();
    private long _answers, _cut, _turnedAway, _resubmitted;

    public IReadOnlyDictionary<ReceiptId, Acknowledged> All => _acknowledged;

    public IReadOnlyCollection<string> Violations => _violations;

    /// <summary>Requests that were answered with a receipt.</summary>
    public long Answers => Volatile.Read(ref _answers);

    /// <summary>Requests that broke because the host was away.</summary>
    public long Cut => Volatile.Read(ref _cut);

    /// <summary>Requests that the host turned away by name (429, 503).</summary>
    public long TurnedAway => Volatile.Read(ref _turnedAway);

    /// <summary>Promises that their holder handed in until they were taken.</summary>
    public long Resubmitted => Volatile.Read(ref _resubmitted);

    public void Violation(string what) => _violations.Enqueue(what);

    public void WasCut() => Interlocked.Increment(ref _cut);

    public void WasTurnedAway() => Interlocked.Increment(ref _turnedAway);

    /// <summary>A stage of durable or later was reported.</summary>
    public void Acknowledge(ReceiptId id, byte[]? receipt)
    {
        Interlocked.Increment(ref _answers);
        var statement = receipt is null ? default(Hash256?) : Receipt.Decode(receipt).StatementId;
        _acknowledged[id] = new Acknowledged(statement, id.Bytes[0] % KeepOneIn == 0 ? receipt : null);
    }

    /// <summary>A fast receipt: its holder hands it in later.</summary>
    public void Promise(byte[] receipt)
    {
        Interlocked.Increment(ref _answers);
        _promises.Enqueue(receipt);
    }

    public int OpenPromises => _promises.Count;

    public bool TryTakePromise(out byte[] receipt) => _promises.TryDequeue(out receipt!);

    public void PutBack(byte[] receipt) => _promises.Enqueue(receipt);

    public void PromiseKept(byte[] bytes)
    {
        var receipt = Receipt.Decode(bytes);
        Interlocked.Increment(ref _resubmitted);
        _acknowledged[receipt.Id] = new Acknowledged(receipt.StatementId, receipt.Id.Bytes[0] % KeepOneIn == 0 ? bytes : null);
    }
}
