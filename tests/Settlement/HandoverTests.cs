using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.State;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Settlement.Tests.Simulation;

namespace OpenGradient.Engine.Settlement.Tests;

/// <summary>The handover from the fast path: what the caller may rely on the moment it has its answer.</summary>
public sealed class HandoverTests : IDisposable
{
    private readonly SimulatedDisk _simulated = new(2);
    private readonly GatedDisk _disk;
    private readonly TestLog _log = new("handover");
    private readonly TestEpoch _epoch = new("handover");
    private readonly HttpClient _http = new();
    private readonly Random _random = new(2);
    private OutboxOptions _outbox = new() { SegmentSize = 64 << 10 };

    public HandoverTests() => _disk = new GatedDisk(_simulated);

    public void Dispose()
    {
        _http.Dispose();
        _disk.Dispose();
    }

    [Fact]
    public async Task TryAccept_WhileTheDiskStandsStill_IsFoundAtOnceAndReportedDurableOnlyLater()
    {
        using var service = Open();
        _disk.Close();
        var batch = Batch(70);
        Assert.True(service.TryAccept(batch));
        var found = service.Find(batch.ReceiptId(69))!;
        Assert.Equal((69u, batch.LeafHash(69), ReceiptStage.Executed), (found.Row, found.Leaf, found.Statement.Stage));
        Assert.Equal(ReceiptStage.Executed, service.Find(batch.StatementId)!.Stage);
        Assert.Equal((70, 70), (service.Snapshot().Open, service.LeavesOf(batch.StatementId).Count));
        Assert.Null(service.ReadStatement(batch.StatementId));
        var durable = service.WaitAsync(batch.ReceiptId(3), ReceiptStage.Durable, CancellationToken.None);
        Assert.False(durable.IsCompleted);
        _disk.Open();
        Assert.Equal(WaitStatus.Reached, (await durable).Status);
        Assert.Equal(batch.Statement.ToArray(), service.ReadStatement(batch.StatementId));
    }

    [Fact]
    public async Task TryAccept_QueueFull_RefusesAndKnowsNothingOfTheBatch()
    {
        _outbox = _outbox with { MaxQueuedRecords = 2 };
        using var service = Open();
        _disk.Close();
        var accepted = new List<SealedBatch>();
        var next = Batch(2);
        for (; service.TryAccept(next); next = Batch(2)) accepted.Add(next);
        Assert.InRange(accepted.Count, 2, 4); // the writer may hold some of them already
        Assert.Null(service.Find(next.ReceiptId(0)));
        Assert.Equal(2 * accepted.Count, service.Snapshot().Open);
        _disk.Open();
        foreach (var batch in accepted) Assert.Equal(WaitStatus.Reached, (await service.WaitAsync(batch.StatementId, ReceiptStage.Durable, CancellationToken.None)).Status);
        Assert.True(service.TryAccept(next));
        Assert.NotNull(service.Find(next.ReceiptId(1)));
    }

    [Fact]
    public async Task TryAccept_FromManyThreads_EveryCallerFindsItsReceipts()
    {
        using var service = Open();
        var batches = Enumerable.Range(0, 64).Select(i => Batch(1 + i)).ToArray();
        Parallel.ForEach(batches, new ParallelOptions { MaxDegreeOfParallelism = 8 }, batch =>
        {
            Assert.True(service.TryAccept(batch));
            for (var row = 0; row < batch.Count; row++) Assert.Equal(batch.StatementId, service.Find(batch.ReceiptId(row))?.Statement.StatementId);
        });
        foreach (var batch in batches) await service.WaitAsync(batch.StatementId, ReceiptStage.Durable, CancellationToken.None);
        Assert.Equal(64 * 65 / 2, service.Snapshot().Open);
    }

    [Fact]
    public async Task Open_AfterBatchesAndResubmittedReceipts_FindsEveryReceiptAgain()
    {
        var batches = Enumerable.Range(0, 20).Select(_ => Batch(100)).ToArray();
        var single = Batch(9);
        using (var service = Open())
        {
            foreach (var batch in batches) Assert.True(service.TryAccept(batch));
            foreach (var row in new[] { 7, 2 }) Assert.Equal(SubmitStatus.Accepted, (await service.SubmitAsync(single.Receipt(row))).Status);
            Check(service);
        }

        using var again = Open();
        Check(again);

        void Check(SettlementService service)
        {
            foreach (var batch in batches)
                for (var row = 0; row < batch.Count; row++)
                    Assert.Equal(((uint)row, batch.LeafHash(row), batch.StatementId), service.Find(batch.ReceiptId(row)) is { } found ? (found.Row, found.Leaf, found.Statement.StatementId) : default);
            Assert.Equal([(2u, single.LeafHash(2)), (7u, single.LeafHash(7))], service.LeavesOf(single.StatementId));
            Assert.Null(service.Find(single.ReceiptId(0)));
        }
    }

    [Fact]
    public async Task TryAccept_ManyThatCannotBeStored_LeaveTheOthersFindable()
    {
        using var service = Open();
        var stored = Enumerable.Range(0, 12).Select(_ => Batch(60)).ToArray();
        foreach (var batch in stored) Assert.True(service.TryAccept(batch));
        Assert.Equal(WaitStatus.Reached, (await service.WaitAsync(stored[^1].StatementId, ReceiptStage.Durable, CancellationToken.None)).Status);
        _disk.Close();
        _simulated.FreeBytes = 0;
        var lost = Enumerable.Range(0, 30).Select(_ => Batch(60)).Where(service.TryAccept).ToArray();
        var waits = lost.Select(batch => service.WaitAsync(batch.StatementId, ReceiptStage.Durable, CancellationToken.None)).ToArray();
        _disk.Open();
        var outcomes = await Task.WhenAll(waits);
        Assert.Contains(outcomes, outcome => outcome.Status is WaitStatus.NotStored or WaitStatus.Unknown); // unknown: it was forgotten before we asked
        for (var i = 0; i < lost.Length; i++)
            Assert.All(Enumerable.Range(0, 60), row => Assert.Equal(outcomes[i].Status == WaitStatus.Reached, service.Find(lost[i].ReceiptId(row)) is not null));
        Assert.All(stored, batch => Assert.All(Enumerable.Range(0, 60), row => Assert.Equal((uint)row, service.Find(batch.ReceiptId(row))?.Row)));
    }

    [Fact]
    public void TryAccept_NotAStatement_ThrowsAndStoresNothing()
    {
        var good = Batch(1);
        using (var service = Open())
        {
            var bad = new SealedBatch(new byte[300], good.LeafPreimage(0).ToArray(), good.LeafHash(0).ToArray());
            Assert.Throws<FormatException>(() => service.TryAccept(bad));
        }

        using var again = Open();
        Assert.Equal(0, again.Snapshot().Open);
    }

    private SealedBatch Batch(int rows) => _log.Batch(_epoch, rows, _random);

    private SettlementService Open() => SettlementService.Open(
        new SettlementOptions { DataFolder = "/data", ChainId = 1, Contract = EvmAddress.Parse("0x00000000000000000000000000000000000000aa"), Outbox = _outbox },
        new SettlementParts
        {
            Rpc = new RpcClient(_http, new RpcOptions { Endpoint = new Uri("http://127.0.0.1:1") }), Verifier = new TestVerifier(),
            CheckpointSigner = _epoch, NoteSigner = _log, TransactionSigner = Secp256k1.FromSeed("account"), Disk = _disk,
        });
}
