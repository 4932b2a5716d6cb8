using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Keeping;

/// <summary>
/// Writes a small data folder with every kind of record, and beside it what must be found in it. Run by a release's own
/// build before its formats change: <c>dotnet run --project tests/Settlement -- write-fixture FOLDER</c>.
/// </summary>
internal static class FixtureWriter
{
    public const string Seed = "fixture";
    public const string Expectations = "expected.txt";

    public static async Task Write(string folder)
    {
        var anvil = new Anvil();
        await anvil.InitializeAsync();
        try
        {
            using var engine = new Doubles.Engine(anvil, Seed, new LinuxDisk(), folder);
            engine.Options = engine.Options with { Outbox = new OutboxOptions { SegmentSize = 4096 } };
            engine.Start();
            var batches = new List<SealedBatch> { await engine.Accept() };
            await engine.RunUntilFinal([.. batches]);
            var bad = engine.NewBatch(1);
            engine.Verifier.Bad.Add(bad.StatementId);
            Assert.True(engine.Service.TryAccept(bad));
            var lost = engine.NewBatch(4);
            await engine.Service.SubmitAsync(lost.Receipt(2));
            await engine.Service.SubmitAsync(lost.Receipt(0));
            batches.Add(lost);
            await engine.RunUntilFinal([.. batches]);
            engine.Stop();
            engine.Start(newEpoch: true);
            batches.Add(await engine.Accept(1));
            await engine.RunUntilFinal([.. batches]);
            batches.Add(bad);
            batches.Add(await engine.Accept(2)); // durable and no more
            var lines = batches.SelectMany(batch => Enumerable.Range(0, batch.Count).Select(batch.ReceiptId)).Select(id => Line(engine.Service, id));
            await File.WriteAllLinesAsync(Path.Combine(folder, Expectations), lines);
        }
        finally
        {
            await anvil.DisposeAsync();
        }
    }

    /// <summary>What a build knows of a receipt, on one line that begins with its id.</summary>
    public static string Line(SettlementService service, ReceiptId id)
    {
        if (service.Find(id) is not { } found) return $"{id} unknown";
        var (status, proof) = (found.Statement, service.GetProof(id)!);
        return string.Join(' ', id, found.Row, found.Leaf, status.StatementId, status.Stage, status.Receipts, status.Epoch, status.ExecutedAt, status.Leaf?.ToString() ?? "-",
            status.Inclusion?.ToString() ?? "-", status.Reasons.Count, proof.Checkpoint?.Root.ToString() ?? "-", string.Join(',', proof.Inclusion?.Path ?? []));
    }
}
