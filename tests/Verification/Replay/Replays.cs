using OpenGradient.Engine.Verification.Replay;

namespace OpenGradient.Engine.Verification.Tests.Replay;

/// <summary>What the replay tests share.</summary>
internal static class Replays
{
    /// <summary>A real engine over the real library, whose receipts the real shim seals.</summary>
    public static InferenceEngine Engine(Installation installation) =>
        new(new InferenceEngineOptions { Backend = TestModel.Backend, Sealer = installation.First });

    public static void AssertReproduced(ReceiptReplayer replayer, IEnumerable<AnsweredRow> rows, TestModel model)
    {
        var items = rows.Select(row => row.Item).ToArray();
        var tally = replayer.ReplayAll(items, model.Path);
        Assert.True(tally.Mismatches == 0, $"{model}: {tally.Mismatches} of {tally.Replayed}; {tally.FirstMismatch?.Shape}: {tally.FirstMismatch?.Detail}");
        Assert.Equal((items.Length, items.Length), (tally.Replayed, tally.Reproduced));
        // Opened as the statement says: threads and all.
        Assert.Empty(replayer.Replay(items[0], model.Path).Fingerprint);
    }
}
