using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Settlement.Tests.TrustGap;

public sealed class ObjectiveTests : IDisposable
{
    private readonly GapFixture _fixture = new();

    public ObjectiveTests() => _fixture.Options = _fixture.Options with
    {
        Objective = new() { Stage = ReceiptStage.Verified, Within = TimeSpan.FromSeconds(10), Share = 0.9 },
    };

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task Objective_NineInTimeAndOneLate_BurnsExactlyWhatIsAllowedUntilTheWindowsHavePassed()
    {
        using var service = _fixture.Open();
        await _fixture.Accept(service, 9);
        _fixture.Clock.StepSeconds(10);
        await GapFixture.Verify(service); // just in time
        await _fixture.Accept(service, 1);
        _fixture.Clock.StepSeconds(11);
        await GapFixture.Verify(service);

        var now = service.Snapshot().Objective;
        Assert.Equal((9, 1, 1.0, 1.0), (now.Met, now.Missed, Math.Round(now.BurnFiveMinutes, 9), Math.Round(now.BurnOneHour, 9)));
        Assert.False(now.IsBurningFast);
        _fixture.Clock.Step(TimeSpan.FromMinutes(6));
        now = service.Snapshot().Objective;
        Assert.Equal((0.0, 1.0), (now.BurnFiveMinutes, Math.Round(now.BurnOneHour, 9)));
        _fixture.Clock.Step(TimeSpan.FromMinutes(60));
        now = service.Snapshot().Objective;
        Assert.Equal((9, 1, 0.0, 0.0), (now.Met, now.Missed, now.BurnFiveMinutes, now.BurnOneHour));
    }

    [Fact]
    public async Task Objective_NothingArrives_IsMissedWhenTheTimeIsOverAndOnlyOnce()
    {
        using var service = _fixture.Open();
        await _fixture.Accept(service, 4);
        _fixture.Clock.StepSeconds(10);
        Assert.Equal((0, 0), Judged(service));
        _fixture.Clock.StepSeconds(0.001);
        Assert.Equal((0, 4), Judged(service));
        Assert.Equal(10, service.Snapshot().Objective.BurnFiveMinutes, 9);
        await GapFixture.Verify(service);
        Assert.Equal((0, 4), Judged(service));
    }

    [Fact]
    public async Task Objective_AStatementThatFailsItsCheck_IsMissed()
    {
        using var service = _fixture.Open();
        await _fixture.AcceptBad(service, 2);
        await GapFixture.Verify(service);
        Assert.Equal((0, 2), Judged(service));
    }

    [Fact]
    public async Task Objective_AfterARestart_JudgesWhatIsStillOpenAndNothingElse()
    {
        using (var service = _fixture.Open())
        {
            await _fixture.Accept(service, 3);
            await GapFixture.Verify(service);
            await _fixture.Accept(service, 2);
        }

        _fixture.Clock.StepSeconds(60);
        using var again = _fixture.Open();
        Assert.Equal((0, 2), Judged(again));
    }

    [Fact]
    public async Task Objective_AReceiptThatCameBackLate_HasItsTimeFromThenOn()
    {
        using var service = _fixture.Open();
        var lost = _fixture.Batch(4);
        _fixture.Clock.Step(TimeSpan.FromHours(1));
        Assert.Equal(SubmitStatus.Accepted, (await service.SubmitAsync(lost.Receipt(1))).Status);
        Assert.Equal(TimeSpan.Zero, service.Snapshot().OldestOpen);
        _fixture.Clock.StepSeconds(3);
        await GapFixture.Verify(service);
        Assert.Equal((4, 0), Judged(service));
        // What is measured stays the truth: from execution on.
        Assert.InRange(service.Snapshot().Verified.Max, TimeSpan.FromHours(1), TimeSpan.FromHours(1.1));
    }

    [Fact]
    public void Options_EachMistakeOfTheGap_IsRefusedAtStart()
    {
        var good = _fixture.Options;
        SettlementOptions[] mistakes =
        [
            good with { Objective = new() { Stage = ReceiptStage.Executed } }, good with { Objective = new() { Share = 1 } }, good with { Objective = new() { Within = TimeSpan.Zero } },
            good with { OnGapExceeded = new() { MaxDelay = TimeSpan.Zero } }, good with { OnGapExceeded = new() { RefuseAt = 1 } }, good with { OnGapExceeded = new() { RefuseAt = double.NaN } },
            good with { Closing = new() { CheapShare = 0 } }, good with { Closing = new() { Rule = ClosingRule.Adaptive } }, // its objective is verified
        ];
        good.Validate();
        Assert.All(mistakes, mistake => Assert.ThrowsAny<ArgumentException>(mistake.Validate));
    }

    private static (long Met, long Missed) Judged(SettlementService service)
    {
        var objective = service.Snapshot().Objective;
        return (objective.Met, objective.Missed);
    }
}
