namespace OpenGradient.Engine.Settlement.Postgres;

/// <summary>The newest payloads, so that what follows right behind the writer asks no server. Bounded by bytes; oldest leave first. Safe for concurrent calls.</summary>
internal sealed class PayloadCache
{
    // 32 MiB: some seconds of full load, which is how far verification and publishing lag behind.
    private const long MaxBytes = 32 << 20;

    private readonly Lock _gate = new();
    private readonly Dictionary<long, byte[]> _bySeq = [];
    private readonly Queue<long> _order = new();
    private long _bytes;

    public void Add(long seq, byte[] payload)
    {
        lock (_gate)
        {
            if (!_bySeq.TryAdd(seq, payload)) return;
            _order.Enqueue(seq);
            _bytes += payload.Length;
            while (_bytes > MaxBytes && _order.TryDequeue(out var oldest))
                if (_bySeq.Remove(oldest, out var gone)) _bytes -= gone.Length;
        }
    }

    public byte[]? Find(long seq)
    {
        lock (_gate) return _bySeq.GetValueOrDefault(seq);
    }
}
