namespace OpenGradient.Engine.Serving;

/// <summary>What waits in a lane, reserved at admission and released when a worker claims it or it is abandoned.</summary>
internal sealed class LaneLoad(ModelOptions options)
{
    // Requests and rows in one word, so that both cost one atomic addition: up to 2^20 requests, each of up to 2^16 rows.
    private const int RowsShift = 24;
    private const long RequestsMask = (1L << RowsShift) - 1;

    private long _waiting;
    private long _bytes;

    public int Requests => (int)(Volatile.Read(ref _waiting) & RequestsMask);

    public long Rows => Volatile.Read(ref _waiting) >> RowsShift;

    /// <summary>Null, or what is full.</summary>
    public string? TryReserve(int rows, long bytes)
    {
        var one = Packed(1, rows);
        if ((Interlocked.Add(ref _waiting, one) & RequestsMask) > options.MaxQueuedRequests)
        {
            Interlocked.Add(ref _waiting, -one);
            return $"{options.MaxQueuedRequests} requests";
        }

        if (Interlocked.Add(ref _bytes, bytes) <= options.MaxQueuedBytes) return null;
        Release(1, rows, bytes);
        return $"{options.MaxQueuedBytes} bytes";
    }

    public void Release(int requests, long rows, long bytes)
    {
        Interlocked.Add(ref _waiting, -Packed(requests, rows));
        Interlocked.Add(ref _bytes, -bytes);
    }

    private static long Packed(int requests, long rows) => (rows << RowsShift) + requests;
}
