using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Settling;
using OpenGradient.Engine.Settlement.State;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Settlement.Tests.Simulation;

namespace OpenGradient.Engine.Settlement.Tests;

/// <summary>What needs no chain: nobody listens at the endpoint.</summary>
public sealed class ServiceTests : IDisposable
{
    private readonly SimulatedDisk _disk = new(1);
    private readonly TestLog _log = new("service");
    private readonly TestEpoch _epoch = new("service");
    private readonly TestVerifier _verifier = new();
    private readonly HttpClient _http = new();
    private readonly Random _random = new(1);

    private SettlementOptions _options = new()
    {
        DataFolder = "/data", ChainId = 1, Contract = EvmAddress.Parse("0x00000000000000000000000000000000000000aa"),
        Outbox = new OutboxOptions { SegmentSize = 8 << 10 }, PollInterval = TimeSpan.FromMilliseconds(5),
    };

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task Service_DiskFull_RefusesByNameAndGoesOnWhenSpaceReturns()
    {
        _disk.FreeBytes = 20 << 10;
        using var service = Open();
        SealedBatch refused;
        while (true)
        {
            refused = Batch(1); // so that the receipt that comes back needs no less room than its batch did
            if (!service.TryAccept(refused)) break;
            var wait = await service.WaitAsync(refused.ReceiptId(0), ReceiptStage.Durable, CancellationToken.None);
            if (wait.Status == WaitStatus.NotStored) break;
        }

        Assert.True(_disk.FaultBit);
        Assert.NotNull(service.RetryAfter());
        Assert.Null(service.Find(refused.ReceiptId(0)));
        Assert.Equal(SubmitStatus.Unavailable, (await service.SubmitAsync(refused.Receipt(0))).Status);

        _disk.FreeBytes = 1 << 20;
        Assert.Equal(SubmitStatus.Accepted, (await service.SubmitAsync(refused.Receipt(0))).Status);
        Assert.Null(service.RetryAfter());
        Assert.True(service.TryAccept(Batch()));
    }

    [Fact]
    public async Task Service_DiskFullAndNobodyWrites_GoesOnWhenSpaceReturns()
    {
        _disk.FreeBytes = 20 << 10;
        using var service = Open();
        while (service.RetryAfter() is null)
        {
            var batch = Batch(1);
            if (service.TryAccept(batch)) await service.WaitAsync(batch.ReceiptId(0), ReceiptStage.Durable, CancellationToken.None);
        }

        using var stop = new CancellationTokenSource();
        var running = service.RunAsync(stop.Token);
        while (service.Conditions.All(condition => condition.Kind != ConditionKind.OutboxFull)) await Task.Delay(1);
        Assert.NotNull(service.RetryAfter());

        _disk.FreeBytes = 1 << 20;
        while (service.RetryAfter() is not null) await Task.Delay(1);
        while (service.Conditions.Any(condition => condition.Kind == ConditionKind.OutboxFull)) await Task.Delay(1);
        Assert.True(service.TryAccept(Batch()));
        await stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task Service_SyncFails_ReportsNothingAsDurable()
    {
        using var service = Open();
        await service.TickAsync(CancellationToken.None);
        _disk.FailSyncAt = _disk.Operations + 1;
        var batch = Batch();
        Assert.True(service.TryAccept(batch));
        var outcome = await service.WaitAsync(batch.StatementId, ReceiptStage.Durable, CancellationToken.None);
        Assert.Contains(outcome.Status, new[] { WaitStatus.NotStored, WaitStatus.Unknown }); // unknown: it was forgotten before we asked
        Assert.True(_disk.FaultBit);
        Assert.False(service.TryAccept(Batch()));
    }

    [Fact]
    public async Task Service_SlowSubscriber_LosesChangesAndIsTold()
    {
        using var service = Open();
        using var slow = service.Subscribe(2)!;
        for (var i = 0; i < 5; i++) await Accept(service, Batch());
        Assert.True(slow.Reader.TryRead(out var first));
        Assert.True(slow.Reader.TryRead(out _));
        Assert.False(slow.Reader.TryRead(out _));
        await Accept(service, Batch());
        Assert.True(slow.Reader.TryRead(out var afterGap));
        Assert.Equal((0, 3), (first.Missed, afterGap.Missed));
    }

    [Fact]
    public async Task Service_TooManyOpenReceipts_AsksAdmissionToWait()
    {
        _options = _options with { MaxOpenReceipts = 6 };
        using var service = Open();
        await Accept(service, Batch(4));
        Assert.Null(service.RetryAfter());
        await Accept(service, Batch(4));
        Assert.Equal(_options.MaxBatchAge, service.RetryAfter());
        Assert.Equal(8, service.Snapshot().Open);
    }

    [Fact]
    public async Task Service_SameBatchTwice_IsKeptOnce()
    {
        using (var service = Open())
        {
            var batch = Batch();
            await Accept(service, batch);
            await Accept(service, batch);
            await service.TickAsync(CancellationToken.None);
            Assert.Equal(0ul, service.Find(batch.StatementId)!.Leaf);
            Assert.Equal(3, service.Snapshot().Open);
        }

        using var again = Open();
        Assert.Equal(3, again.Snapshot().OpenByStage[ReceiptStage.Verified]);
        await again.TickAsync(CancellationToken.None);
        Assert.Equal(1ul, (await Sequenced(again)).Leaf);
    }

    /// <summary>A load that verification barely keeps up with must not keep the pass from the log and the chain.</summary>
    [Fact]
    public async Task Service_StatementsThatComeWhileOthersAreVerified_WaitForTheNextPass()
    {
        using var service = Open();
        await Accept(service, Batch());
        var verified = 0;
        _verifier.Verifying = () =>
        {
            if (++verified < 100) Accept(service, Batch()).Wait();
        };
        await service.TickAsync(CancellationToken.None);
        Assert.Equal(1, verified);
        await service.TickAsync(CancellationToken.None);
        Assert.Equal(2, verified);
    }

    [Fact]
    public async Task Service_BacklogOfStatements_IsVerifiedWholeAndTheBadOnesAreFound()
    {
        using var service = Open();
        SealedBatch[] batches = [.. Enumerable.Range(0, 200).Select(_ => Batch(1))];
        foreach (var batch in batches) await Accept(service, batch);
        foreach (var bad in (int[])[0, 63, 64, 199]) _verifier.Bad.Add(batches[bad].StatementId);
        await service.TickAsync(CancellationToken.None);
        for (var i = 0; i < batches.Length; i++)
            Assert.Equal(i is 0 or 63 or 64 or 199 ? ReceiptStage.Quarantined : ReceiptStage.Verified, service.Find(batches[i].StatementId)!.Stage);
    }

    [Fact]
    public async Task Service_UnknownAndForeignReceipts_AreAnsweredByName()
    {
        using var service = Open();
        var batch = Batch();
        Assert.Equal(WaitStatus.Unknown, (await service.WaitAsync(batch.ReceiptId(0), ReceiptStage.Final, CancellationToken.None)).Status);
        Assert.Null(service.GetProof(batch.ReceiptId(0)));
        var foreign = new TestLog("other").Batch(_epoch, 2, _random);
        Assert.Equal([VerificationReason.LogNotTrusted], (await service.SubmitAsync(foreign.Receipt(0))).Reasons);
        _verifier.Bad.Add(batch.StatementId);
        Assert.Contains(VerificationReason.StatementSignatureInvalid, (await service.SubmitAsync(batch.Receipt(0))).Reasons);
        Assert.Equal([VerificationReason.StatementMalformed], (await service.SubmitAsync(batch.Receipt(0) with { Statement = new byte[300] })).Reasons);
        Assert.Equal([VerificationReason.RowOutsideBatch], (await service.SubmitAsync(batch.Receipt(0) with { Row = 9 })).Reasons);
    }

    [Fact]
    public async Task Service_WaiterCancelled_LeavesTheReceiptUntouched()
    {
        using var service = Open();
        var batch = Batch();
        await Accept(service, batch);
        using var patience = new CancellationTokenSource();
        var wait = service.WaitAsync(batch.ReceiptId(0), ReceiptStage.Final, patience.Token);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait);
        Assert.Equal(ReceiptStage.Durable, service.Find(batch.ReceiptId(0))!.Statement.Stage);
    }

    [Fact]
    public void Options_EachMistake_IsRefusedAtStart()
    {
        SettlementOptions[] mistakes =
        [
            _options with { DataFolder = "relative" }, _options with { Contract = default }, _options with { ChainId = 0 }, _options with { FinalityDepth = 0 },
            _options with { MaxBatchStatements = 0 }, _options with { MaxFeePerGas = 1 }, _options with { BumpAfterBlocks = 0 }, _options with { Outbox = new OutboxOptions { SegmentSize = 1 } },
        ];
        Assert.All(mistakes, mistake => Assert.ThrowsAny<ArgumentException>(mistake.Validate));
    }

    private static async Task Accept(SettlementService service, SealedBatch batch)
    {
        Assert.True(service.TryAccept(batch));
        Assert.Equal(WaitStatus.Reached, (await service.WaitAsync(batch.StatementId, ReceiptStage.Durable, CancellationToken.None)).Status);
    }

    private async Task<StatementStatus> Sequenced(SettlementService service)
    {
        var batch = Batch();
        await Accept(service, batch);
        await service.TickAsync(CancellationToken.None);
        return service.Find(batch.StatementId)!;
    }

    private SealedBatch Batch(int rows = 3) => _log.Batch(_epoch, rows, _random);

    private SettlementService Open() => SettlementService.Open(_options, new SettlementParts
    {
        Rpc = new RpcClient(_http, new RpcOptions { Endpoint = new Uri("http://127.0.0.1:1") }), Verifier = _verifier,
        CheckpointSigner = _epoch, NoteSigner = _log, TransactionSigner = Secp256k1.FromSeed("account"), Disk = _disk,
    });
}
