using OpenGradient.Engine.Serving.Scheduling;

namespace OpenGradient.Engine.Engine.Tests.Scheduling;

public sealed class CallEstimateTests
{
    private readonly CallEstimate _estimate = new();

    [Fact]
    public void TicksUntil_NothingMeasured_IsZero() => Assert.Equal(0, _estimate.TicksUntil(1_000_000, 1, 1));

    [Fact]
    public void TicksUntil_WorkBefore_IsWholeRoundsOfFullCallsOnAllWorkers()
    {
        _estimate.Add(100, 1);
        Assert.Equal(0, _estimate.TicksUntil(127, 64, 2));
        Assert.Equal(100, _estimate.TicksUntil(128, 64, 2));
        Assert.Equal(300, _estimate.TicksUntil(6 * 64, 64, 2));
    }

    [Fact]
    public void Add_OneSlowCall_MovesItByLessThanItsFactor()
    {
        _estimate.Add(100, 1);
        _estimate.Add(1_000_000, 1);
        Assert.InRange(_estimate.Ticks, 101, 200);
    }

    [Fact]
    public void Add_ShortCallsAfterALongOne_ForgetIt()
    {
        _estimate.Add(1_000_000, 1);
        for (var i = 0; i < 300; i++) _estimate.Add(100, 1 / 64.0);
        Assert.InRange(_estimate.Ticks, 1, 300);
    }

    [Fact]
    public void Add_FullCallsAfterSmallOnes_AreLearntWithinAFew()
    {
        for (var i = 0; i < 100; i++) _estimate.Add(100, 1 / 64.0);
        for (var i = 0; i < 16; i++) _estimate.Add(1000, 1);
        Assert.InRange(_estimate.Ticks, 900, 1000);
    }
}
