using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.State;

namespace OpenGradient.Engine.Settlement.Tests.TrustGap;

public sealed class ModelGapTests : IDisposable
{
    private readonly GapFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public async Task Gaps_OfTwoModels_AreToldApartByStageAgeAndTime()
    {
        using var service = _fixture.Open();
        await _fixture.Accept(service, 3, "digits");
        _fixture.Clock.StepSeconds(4);
        await GapFixture.Verify(service);
        await _fixture.Accept(service, 2, "encoder");
        _fixture.Clock.StepSeconds(5);

        var (digits, encoder) = (Of(service, "digits"), Of(service, "encoder"));
        Assert.Equal((3, TimeSpan.FromSeconds(9)), Standing(digits, ReceiptStage.Verified));
        Assert.Equal((0, TimeSpan.Zero), Standing(digits, ReceiptStage.Durable));
        Assert.Equal((2, TimeSpan.FromSeconds(5)), Standing(encoder, ReceiptStage.Durable));
        Assert.Equal((3, TimeSpan.FromSeconds(9)), (digits.OpenReceipts, digits.OldestOpen));
        Assert.Equal(TimeSpan.FromSeconds(5), service.Snapshot().OldestByStage[ReceiptStage.Durable]);

        var verified = Reached(digits, ReceiptStage.Verified);
        Assert.Equal(new GapPercentiles(3, TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(4)), verified.AtPercentiles());
        Assert.Equal(12, verified.SumSeconds, 9);
        Assert.Equal((0, 3), (verified.CountAtMost(1ul << 31), verified.CountAtMost(1ul << 32))); // 2.1 s and 4.3 s
        Assert.Equal(0, Reached(encoder, ReceiptStage.Verified).Receipts);
    }

    [Fact]
    public async Task Histogram_OfManyTimes_GivesQuantilesAndExactCountsAtPowersOfTwo()
    {
        using var service = _fixture.Open();
        for (var i = 1; i <= 100; i++)
        {
            await _fixture.Accept(service);
            _fixture.Clock.Step(TimeSpan.FromTicks(i * 1000)); // 100 µs, 200 µs … 10 ms
            await GapFixture.Verify(service);
        }

        var gap = Reached(Of(service, "digits"), ReceiptStage.Verified);
        var at = gap.AtPercentiles();
        Assert.Equal((100, TimeSpan.FromMilliseconds(10)), (at.Receipts, at.Max));
        Assert.InRange(at.P50.TotalMilliseconds, 5, 5 * 1.0625);
        Assert.InRange(at.P90.TotalMilliseconds, 9, 9 * 1.0625);
        Assert.InRange(at.P99.TotalMilliseconds, 9.9, 10);
        for (var power = 17; power < 25; power++) Assert.Equal(Math.Min(100, (1L << power) / 100_000), gap.CountAtMost(1ul << power));
        Assert.Equal(0.505, gap.SumSeconds, 9);
    }

    [Fact]
    public async Task Models_MoreThanHavePlaces_ShareOneAndAreCountedThere()
    {
        using var service = _fixture.Open();
        for (var i = 0; i < 40; i++) await _fixture.Accept(service, 1, $"model-{i}");
        await _fixture.Accept(service, 1, new string('x', 129)); // no label that anybody could read
        var models = service.ModelGaps();
        Assert.Equal(33, models.Count);
        Assert.Equal((ModelGap.Other, 9), (models[^1].Model, models[^1].OpenReceipts));
        Assert.Equal(1, Of(service, "model-31").OpenReceipts);
        Assert.Equal(41, models.Sum(model => model.OpenReceipts));
    }

    [Fact]
    public async Task Models_OfThePast_GiveTheirPlacesToThoseOfThisLife()
    {
        using (var service = _fixture.Open())
        {
            for (var i = 0; i < 32; i++) await (i < 31 ? _fixture.AcceptBad(service, 1, $"old-{i}") : _fixture.Accept(service, 1, "still-open"));
            await GapFixture.Verify(service);
        }

        using var again = _fixture.Open();
        Assert.Equal(["still-open", ModelGap.Other], again.ModelGaps().Select(model => model.Model));
        Assert.Equal(1, Of(again, "still-open").OpenReceipts);
        for (var i = 0; i < 31; i++) await _fixture.Accept(again, 1, $"new-{i}");
        Assert.Equal(0, again.ModelGaps()[^1].OpenReceipts);
        Assert.Equal(33, again.ModelGaps().Count);
    }

    [Fact]
    public async Task Models_AfterARestart_MeasureThisLifeOnly()
    {
        using (var service = _fixture.Open())
        {
            await _fixture.Accept(service, 5);
            _fixture.Clock.StepSeconds(1);
            await GapFixture.Verify(service);
            await _fixture.Accept(service, 2);
        }

        using var again = _fixture.Open();
        var digits = Of(again, "digits");
        Assert.Equal((5, 2), (Standing(digits, ReceiptStage.Verified).Receipts, Standing(digits, ReceiptStage.Durable).Receipts));
        Assert.All(digits.Reached, reached => Assert.Equal(0, reached.Gap.Receipts));
        await GapFixture.Verify(again);
        Assert.Equal(2, Reached(Of(again, "digits"), ReceiptStage.Verified).Receipts);
    }

    private static ModelGap Of(SettlementService service, string model) => service.ModelGaps().Single(gap => gap.Model == model);

    private static (long Receipts, TimeSpan Oldest) Standing(ModelGap model, ReceiptStage stage) =>
        model.Open.Where(open => open.Stage == stage).Select(open => (open.Receipts, open.Oldest)).Single();

    private static GapDistribution Reached(ModelGap model, ReceiptStage stage) => model.Reached.Single(reached => reached.Stage == stage).Gap;
}
