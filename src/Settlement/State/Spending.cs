using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Journal;

namespace OpenGradient.Engine.Settlement.State;

/// <summary>
/// What transactions cost over the last 24 hours, by nonce, since a nonce is paid for once whatever was sent with it. A
/// transaction in a block counts as what was paid; one that may still get there as the most it can cost. Built from records
/// alone, so that a restart forgets nothing. Guarded by the state's lock.
/// </summary>
internal sealed class Spending
{
    /// <summary>Nanoseconds in a day.</summary>
    public const ulong Window = 86_400_000_000_000;

    private readonly SortedDictionary<ulong, Cost> _byNonce = [];

    public void Apply(AttemptRecord record)
    {
        var most = record.GasLimit * record.MaxFee;
        var before = _byNonce.GetValueOrDefault(record.Nonce);
        // An earlier attempt with more gas may be the one that gets in.
        _byNonce[record.Nonce] = new(record.Time, UInt128.Max(before.Most, most), before.Paid, before.Transaction);
        Prune(record.Time);
    }

    public void Apply(SpentRecord record)
    {
        var before = _byNonce.GetValueOrDefault(record.Nonce);
        _byNonce[record.Nonce] = new(Math.Max(before.Time, record.Time), before.Most, record.Paid, record.Transaction);
        Prune(record.Time);
    }

    /// <summary>This transaction's cost is known.</summary>
    public bool Knows(ulong nonce, in Hash256 transaction, UInt128 paid) => _byNonce.TryGetValue(nonce, out var cost) && cost.Paid == paid && cost.Transaction == transaction;

    /// <summary>Wei in the 24 hours before <paramref name="now"/>; what is dated later, by a clock that was put back, counts too.</summary>
    /// <param name="now">Nanoseconds since 1970.</param>
    /// <param name="except">A nonce that is left out, because its cost is about to change.</param>
    public UInt128 Since(ulong now, ulong? except = null)
    {
        UInt128 sum = 0;
        foreach (var (nonce, cost) in _byNonce)
            if (nonce != except && cost.Time + Window > now) sum += cost.Paid ?? cost.Most;
        return sum;
    }

    /// <summary>When enough of what was spent is a day old that <paramref name="room"/> wei are left of it; nanoseconds since 1970.</summary>
    public ulong FreeAgainAt(ulong now, UInt128 room, ulong? except)
    {
        var spent = Since(now, except);
        foreach (var (nonce, cost) in _byNonce.Where(one => one.Key != except && one.Value.Time + Window > now).OrderBy(one => one.Value.Time))
        {
            spent -= cost.Paid ?? cost.Most;
            if (spent <= room) return cost.Time + Window;
        }

        return now;
    }

    /// <summary>For a snapshot: per nonce <c>u64 nonce ‖ u64 time ‖ u128 most ‖ u8 known ‖ u128 paid ‖ transaction (32)</c></summary>
    public byte[] Encode()
    {
        var writer = new ByteWriter().U32((uint)_byNonce.Count);
        foreach (var (nonce, cost) in _byNonce)
            writer.U64(nonce).U64(cost.Time).Wei(cost.Most).U8(cost.Paid is null ? (byte)0 : (byte)1).Wei(cost.Paid ?? 0).Hash(cost.Transaction);
        return writer.ToArray();
    }

    /// <summary>Takes over what a snapshot held.</summary>
    /// <exception cref="FormatException">Not such bytes.</exception>
    public void Restore(ReadOnlySpan<byte> bytes)
    {
        var reader = new ByteReader(bytes, "snapshot: spending");
        for (var left = reader.U32(); left > 0; left--)
        {
            var (nonce, time, most, known, paid) = (reader.U64(), reader.U64(), reader.Wei(), reader.U8() == 1, reader.Wei());
            _byNonce[nonce] = new(time, most, known ? paid : null, reader.Hash());
        }

        reader.End();
    }

    // Nonces grow with time, so what leaves the window leaves from the front; two windows, because a reorganisation may
    // date a transaction anew.
    private void Prune(ulong time)
    {
        while (_byNonce.Count > 1 && _byNonce.First() is var oldest && oldest.Value.Time + (2 * Window) < time) _byNonce.Remove(oldest.Key);
    }

    private readonly record struct Cost(ulong Time, UInt128 Most, UInt128? Paid, Hash256 Transaction);
}
