namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>Time of day that moves only when it is told to; timers are the system's.</summary>
internal sealed class SteppedClock : TimeProvider
{
    private long _now = (DateTimeOffset.UnixEpoch.AddYears(56)).UtcTicks;

    public override DateTimeOffset GetUtcNow() => new(Volatile.Read(ref _now), TimeSpan.Zero);

    public void Step(TimeSpan by) => Interlocked.Add(ref _now, by.Ticks);

    public void StepSeconds(double seconds) => Step(TimeSpan.FromSeconds(seconds));
}
