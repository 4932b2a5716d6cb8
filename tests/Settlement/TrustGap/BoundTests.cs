using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.TrustGap;

/// <summary>What admission is told while the gap is open.</summary>
public sealed class BoundTests(Anvil anvil) : IClassFixture<Anvil>, IDisposable
{
    private static readonly TrustGapResponse SlowDown = new() { Kind = GapExceeded.SlowDown, MaxDelay = TimeSpan.FromSeconds(2), RefuseAt = 3 };

    private readonly GapFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task Advise_CountBeyondTheBound_WaitsInProportionRefusesAtTheLimitAndRecovers()
    {
        _fixture.Options = _fixture.Options with { MaxOpenReceipts = 10, OnGapExceeded = SlowDown };
        using var service = _fixture.Open();
        await _fixture.AcceptBad(service, 9);
        Assert.Equal(default, service.Advise());
        await _fixture.AcceptBad(service, 1);
        Assert.Equal(AdmissionAdvice.SlowDown(TimeSpan.FromMilliseconds(1)), service.Advise()); // at the bound
        await _fixture.AcceptBad(service, 10);
        Assert.Equal(AdmissionAdvice.SlowDown(TimeSpan.FromSeconds(1)), service.Advise()); // half-way to the limit
        Assert.Null(service.RetryAfter());
        await _fixture.AcceptBad(service, 10);
        Assert.Equal(AdmissionAdvice.Refuse(_fixture.Options.MaxBatchAge), service.Advise());
        Assert.Equal(_fixture.Options.MaxBatchAge, service.RetryAfter());
        var bound = service.Bound();
        Assert.Equal((3.0, AdmissionVerdict.Refuse, 2, 1), (bound.Used, bound.Verdict, bound.Slowed, bound.Refused)); // looking is not counted

        await GapFixture.Verify(service); // quarantined: none of them is open any more
        Assert.Equal(default, service.Advise());
        Assert.Equal(AdmissionVerdict.Admit, service.Bound().Verdict);
    }

    [Fact]
    public async Task Advise_AgeBeyondTheBound_WaitsInProportionRefusesAtTheLimitAndRecovers()
    {
        _fixture.Options = _fixture.Options with { MaxOpenAge = TimeSpan.FromSeconds(10), OnGapExceeded = SlowDown };
        using var service = _fixture.Open();
        await _fixture.AcceptBad(service);
        _fixture.Clock.StepSeconds(10);
        Assert.Equal(default, service.Advise());
        _fixture.Clock.StepSeconds(10);
        Assert.Equal(AdmissionAdvice.SlowDown(TimeSpan.FromSeconds(1)), service.Advise());
        _fixture.Clock.StepSeconds(10);
        Assert.Equal(AdmissionVerdict.Refuse, service.Advise().Verdict);
        await GapFixture.Verify(service);
        Assert.Equal(default, service.Advise());
    }

    [Fact]
    public async Task Advise_ByDefault_RefusesAtTheBound()
    {
        _fixture.Options = _fixture.Options with { MaxOpenReceipts = 10, MaxBatchAge = TimeSpan.FromHours(1) };
        using var service = _fixture.Open();
        await _fixture.Accept(service, 10);
        Assert.Equal(AdmissionAdvice.Refuse(TimeSpan.FromMinutes(1)), service.Advise()); // nobody is sent away for an hour
    }

    [Fact]
    public async Task Advise_ReceiptThatCameBackAfterAnHour_HoldsNobodyUp()
    {
        _fixture.Options = _fixture.Options with { MaxOpenAge = TimeSpan.FromSeconds(10) };
        using var service = _fixture.Open();
        var lost = _fixture.Batch(2);
        _fixture.Clock.Step(TimeSpan.FromHours(1));
        Assert.Equal(SubmitStatus.Accepted, (await service.SubmitAsync(lost.Receipt(0))).Status);
        Assert.Equal(default, service.Advise());
        _fixture.Clock.StepSeconds(11);
        Assert.Equal(AdmissionVerdict.Refuse, service.Advise().Verdict);
    }

    [Fact]
    public async Task Advise_BelowTheBound_AllocatesNothing()
    {
        _fixture.Options = _fixture.Options with { MaxOpenAge = TimeSpan.FromMinutes(1) };
        using var service = _fixture.Open();
        await _fixture.Accept(service, 5);
        for (var i = 0; i < 100; i++) service.Advise();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100_000; i++)
            if (service.Advise().Verdict != AdmissionVerdict.Admit) throw new InvalidOperationException();
        // The runtime itself may take some kilobytes meanwhile; the smallest object per call would be megabytes.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [AnvilFact]
    public async Task Advise_ChainStandsStillAndGoesOn_SlowsDownRefusesAndAdmitsAgain()
    {
        using var folder = new TemporaryFolder();
        using var engine = new Doubles.Engine(anvil, nameof(Advise_ChainStandsStillAndGoesOn_SlowsDownRefusesAndAdmitsAgain), new LinuxDisk(), folder.Path);
        engine.Options = engine.Options with { MaxOpenReceipts = 6, OnGapExceeded = SlowDown };
        engine.Start();
        var settled = await engine.Accept(5);
        await engine.RunUntilFinal(settled);
        Assert.Equal(default, engine.Service.Advise());

        engine.Faults.Refuse = _ => true;
        var waiting = new List<SealedBatch>();
        var verdicts = new List<AdmissionVerdict>();
        for (var i = 0; i < 7; i++)
        {
            waiting.Add(await engine.Accept(3));
            await engine.Tick();
            verdicts.Add(engine.Service.Advise().Verdict);
        }

        Assert.True(engine.Faults.Bites >= 7);
        Assert.Contains(engine.Service.Conditions, condition => condition.Kind == ConditionKind.ChainUnreachable);
        Assert.Equal(AdmissionVerdict.Admit, verdicts[0]);
        Assert.All(verdicts[1..5], verdict => Assert.Equal(AdmissionVerdict.SlowDown, verdict));
        Assert.All(verdicts[5..], verdict => Assert.Equal(AdmissionVerdict.Refuse, verdict));

        engine.Faults.Refuse = null;
        await engine.RunUntilFinal([.. waiting]);
        Assert.Equal(default, engine.Service.Advise());
        await engine.Audit([settled, .. waiting]);
    }
}
