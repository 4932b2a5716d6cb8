using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement;

/// <summary>
/// Bounds the open trust gap at admission. Below the bound a question costs two reads and, where the age is bounded, the
/// clock; no lock is taken anywhere. Nothing is remembered, so it recovers by itself as receipts become final.
/// </summary>
internal sealed class TrustGapBound(SettlementState state, SettlementOptions options)
{
    private static readonly TimeSpan LeastDelay = TimeSpan.FromMilliseconds(1);

    // The gap closes with the next settlement batch at the earliest; nobody should stay away for longer than a minute.
    private readonly TimeSpan _advice = options.MaxBatchAge < TimeSpan.FromMinutes(1) ? options.MaxBatchAge : TimeSpan.FromMinutes(1);
    private readonly bool _boundsAge = options.MaxOpenAge < TimeSpan.MaxValue;

    private long _slowed;
    private long _refused;

    /// <summary>How long whoever is refused is asked to wait.</summary>
    public TimeSpan Advice => _advice;

    /// <summary>What to say to a request, which is counted.</summary>
    public AdmissionAdvice Advise()
    {
        var advice = Look();
        if (advice.Verdict == AdmissionVerdict.SlowDown) Interlocked.Increment(ref _slowed);
        else if (advice.Verdict == AdmissionVerdict.Refuse) Interlocked.Increment(ref _refused);
        return advice;
    }

    /// <summary>The same without counting it.</summary>
    public AdmissionAdvice Look()
    {
        var open = state.OpenReceipts;
        return open < options.MaxOpenReceipts && (!_boundsAge || Age() <= options.MaxOpenAge) ? default : Beyond(Used(open));
    }

    public BoundSnapshot Snapshot()
    {
        var advice = Look();
        return new(
            options.OnGapExceeded.Kind, options.MaxOpenReceipts, options.MaxOpenAge, Used(state.OpenReceipts), advice.Verdict, advice.Wait,
            Interlocked.Read(ref _slowed), Interlocked.Read(ref _refused));
    }

    private AdmissionAdvice Beyond(double used)
    {
        var response = options.OnGapExceeded;
        if (response.Kind == GapExceeded.Refuse || used >= response.RefuseAt) return AdmissionAdvice.Refuse(_advice);
        var delay = response.MaxDelay * Math.Max(0, (used - 1) / (response.RefuseAt - 1));
        return AdmissionAdvice.SlowDown(delay > LeastDelay ? delay : LeastDelay);
    }

    private double Used(long open) => Math.Max(
        options.MaxOpenReceipts == 0 ? double.MaxValue : (double)open / options.MaxOpenReceipts,
        !_boundsAge ? 0 : options.MaxOpenAge > TimeSpan.Zero ? Age() / options.MaxOpenAge : Age() > TimeSpan.Zero ? double.MaxValue : 0);

    private TimeSpan Age() => state.OldestOpen is { } since && state.Now() is var now && now > since ? TimeSpan.FromTicks((long)((now - since) / 100)) : TimeSpan.Zero;
}

/// <summary>The bound of the open gap and what it does now.</summary>
/// <param name="MaxReceipts">Open receipts; <see cref="long.MaxValue"/> for no bound.</param>
/// <param name="MaxAge">Of the oldest one; <see cref="TimeSpan.MaxValue"/> for no bound.</param>
/// <param name="Used">The larger of the two, as a share of its bound: 1 is at the bound.</param>
/// <param name="Verdict">What a request would be told now, and after which wait.</param>
/// <param name="Slowed">Requests since the process began.</param>
/// <param name="Refused">Requests since the process began.</param>
public sealed record BoundSnapshot(
    GapExceeded OnExceeded, long MaxReceipts, TimeSpan MaxAge, double Used, AdmissionVerdict Verdict, TimeSpan Wait, long Slowed, long Refused);
