using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Verification.Tests.Replay;

/// <summary>Receipts of a real engine, sealed by the real shim, replayed from their bytes through a session of their own.</summary>
public sealed class ReplayShapeTests(Installation installation) : IClassFixture<Installation>
{
    private const int LargestBatch = 64;

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("OG_LONG") == "1";

    public static TheoryData<string> Models => [.. TestModel.All.Select(model => model.ToString())];

    [Theory, MemberData(nameof(Models))]
    public async Task Replay_EveryBatchSizeAndSlot_IsReproduced(string name)
    {
        var model = TestModel.All.Single(each => each.ToString() == name);
        using var replayer = new ReceiptReplayer(TestModel.Backend);
        await using var engine = Replays.Engine(installation);
        for (var size = model.PaddingMultiple; size <= LargestBatch; size += model.PaddingMultiple)
        {
            if (model.IsCostly && !IsLong && size is > 9 and not (16 or 31 or 64)) continue;
            // One worker that waits for a full batch: its size is the number of requests, each slot is taken once.
            var info = await engine.LoadModelAsync(model.Options with { MaxBatch = size, Workers = 1, MaxQueueDelay = TimeSpan.FromMinutes(1) });
            var rows = await Task.WhenAll(Enumerable.Range(0, size).Select(i => AnsweredRow.From(engine, info.Name, TestModel.Inputs(info, (size * 1000) + i, length: 5 + (size % 9)))));
            Replays.AssertReproduced(replayer, rows, model);
            if (info.IsBatchable) Assert.Equal(Enumerable.Range(0, size).Select(slot => (size, slot)), rows.Select(row => (row.BatchRows, row.FirstSlot)).Order());
        }
    }
}
