using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Verification.Tests.Replay;

/// <summary>Many callers at once, so that batches form as they do in service.</summary>
public sealed class ReplayLoadTests(Installation installation) : IClassFixture<Installation>
{
    // Long runs take more of the same under other seeds.
    private static readonly int Rounds = Environment.GetEnvironmentVariable("OG_LONG") == "1" ? 20 : 1;

    public static TheoryData<string> Models => ReplayShapeTests.Models;

    [Theory, MemberData(nameof(Models))]
    public async Task Replay_UnderLoadWithRandomNeighbours_IsReproduced(string name)
    {
        const int callers = 16, requests = 25;
        var model = TestModel.All.Single(each => each.ToString() == name);
        using var replayer = new ReceiptReplayer(TestModel.Backend);
        await using var engine = Replays.Engine(installation);
        var info = await engine.LoadModelAsync(model.Options with { MaxBatch = 32, MaxRowsPerRequest = 8 });
        for (var round = 0; round < Rounds; round++)
        {
            var answered = await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
            {
                var random = new Random((round * 7919) + caller);
                var rows = new List<AnsweredRow>();
                for (var i = 0; i < requests; i++)
                {
                    // Few lengths, so that some batches are shared, and lengths that leave rows at odd addresses among them.
                    var inputs = TestModel.Inputs(info, random.Next(), rows: 1 + (random.Next(3) * random.Next(4)), length: (int[])[1, 3, 16, 33] is var lengths ? lengths[random.Next(4)] : 0);
                    rows.Add(await AnsweredRow.From(engine, info.Name, inputs));
                }

                return rows;
            })));
            Replays.AssertReproduced(replayer, answered.SelectMany(rows => rows), model);
        }
    }

    [Fact]
    public async Task Replay_RequestsOfManyRows_AreReproducedAtEverySlot()
    {
        foreach (var model in TestModel.All.Where(each => each.Name is "slot" or "shape" or "totals" or "digits" or "lengths"))
        {
            using var replayer = new ReceiptReplayer(TestModel.Backend);
            await using var engine = Replays.Engine(installation);
            for (var round = 0; round < 6 * Rounds; round++)
            {
                // Together they fill one batch exactly, so the worker does not wait.
                int[] sizes = [1 + (round % 4), 5, 2, 1 + (round % 3), 7];
                if (sizes.Sum() % model.PaddingMultiple != 0) sizes[1]++;
                var info = await engine.LoadModelAsync(model.Options with { MaxBatch = sizes.Sum(), Workers = 1, MaxQueueDelay = TimeSpan.FromMinutes(1) });
                var rows = await Task.WhenAll(sizes.Select((size, i) => AnsweredRow.From(engine, info.Name, TestModel.Inputs(info, (round * 100) + i, size, length: 11 + round))));
                Assert.All(rows, row => Assert.Equal(sizes.Sum(), row.BatchRows));
                Replays.AssertReproduced(replayer, rows, model);
            }
        }
    }
}
