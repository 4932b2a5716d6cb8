using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>A settlement service over a folder that outlives it, with everything a test bends.</summary>
internal sealed class Engine(Anvil anvil, string seed, IDisk disk, string folder) : IDisposable
{
    private readonly Random _random = new(seed.GetHashCode(StringComparison.Ordinal));
    private HttpClient? _http;
    private int _lives;

    public TestLog Log { get; } = new(seed);

    public TestEpoch Epoch { get; private set; } = new(seed + " epoch 0");

    public TestVerifier Verifier { get; } = new();

    public FaultHandler Faults { get; private set; } = new();

    public SettlementService Service { get; private set; } = null!;

    public ITransactionSigner Account { get; set; } = anvil.Account;

    /// <summary>A journal that a worker shares; the engine then has no paying account.</summary>
    public Func<IRecordSink, OutboxNews, IOutbox>? SharedJournal { get; set; }

    public SettlementOptions Options { get; set; } = new()
    {
        DataFolder = folder, ChainId = Anvil.ChainId, Contract = anvil.Contract, MaxBatchAge = TimeSpan.Zero, FinalityDepth = 3,
        Outbox = new OutboxOptions { SegmentSize = 64 << 10 }, PollInterval = TimeSpan.FromMilliseconds(20),
    };

    /// <summary>Opens the folder, as a process start does. A new epoch is what a restarted process has.</summary>
    public Engine Start(bool newEpoch = false)
    {
        if (newEpoch) Epoch = new TestEpoch($"{seed} epoch {++_lives}");
        Faults = new FaultHandler();
        _http = new HttpClient(Faults);
        Service = SettlementService.Open(Options, new SettlementParts
        {
            Rpc = new RpcClient(_http, new RpcOptions { Endpoint = anvil.Endpoint, Timeout = TimeSpan.FromSeconds(30) }),
            Verifier = Verifier, CheckpointSigner = Epoch, NoteSigner = Log, TransactionSigner = SharedJournal is null ? Account : null, OpenOutbox = SharedJournal, Disk = disk,
        });
        return this;
    }

    public void Stop()
    {
        Service?.Dispose();
        _http?.Dispose();
    }

    public void Dispose() => Stop();

    public SealedBatch NewBatch(int rows = 3) => Log.Batch(Epoch, rows, _random);

    /// <summary>Hands a batch over and returns when it is durable.</summary>
    public async Task<SealedBatch> Accept(int rows = 3)
    {
        var batch = NewBatch(rows);
        Assert.True(Service.TryAccept(batch));
        var outcome = await Service.WaitAsync(batch.StatementId, ReceiptStage.Durable, CancellationToken.None);
        Assert.Equal(State.WaitStatus.Reached, outcome.Status);
        return batch;
    }

    public Task Tick() => Service.TickAsync(CancellationToken.None);

    /// <summary>Ticks and makes blocks until every statement is final.</summary>
    public async Task RunUntilFinal(params SealedBatch[] batches)
    {
        for (var round = 0; round < 80; round++)
        {
            await Tick();
            if (batches.All(batch => Service.Find(batch.StatementId)?.Stage == ReceiptStage.Final)) return;
            await anvil.Mine();
        }

        var stages = string.Join(", ", batches.Select(batch => Service.Find(batch.StatementId)?.Stage.ToString() ?? "unknown"));
        Assert.Fail($"not final after 80 blocks: {stages}; {string.Join("; ", Service.Conditions.Select(condition => condition.ToString()))}");
    }

    /// <summary>The chain's events tell one gapless history of this log that covers each statement exactly once.</summary>
    public async Task<List<ChainEvent>> Audit(params SealedBatch[] batches)
    {
        var events = await anvil.Anchors(Log.LogId);
        var head = LogHead.Empty;
        foreach (var item in events)
        {
            var anchored = LedgerAbi.DecodeAnchored(item.Data.Span)!.Value;
            Assert.Equal(head, anchored.PreviousHead);
            head = LogHead.Pack(anchored.Root, anchored.Size);
        }

        var leaves = new HashSet<ulong>();
        foreach (var batch in batches)
        {
            var proof = Service.GetProof(batch.StatementId)!;
            Assert.Equal(ReceiptStage.Final, proof.Stage);
            Assert.True(leaves.Add(proof.Inclusion!.LeafIndex), "two statements share a leaf");
            Assert.Equal(proof.Checkpoint!.Root, MerkleTree.RootFromPath(batch.StatementId, proof.Inclusion.LeafIndex, proof.Inclusion.TreeSize, proof.Inclusion.Path));
            Assert.Single(events, item => item.At == proof.Anchor);
        }

        Assert.Equal((ulong)batches.Length, LogHead.SizeOf(head));
        return events;
    }
}

/// <summary>A folder of its own on the real disk.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("og-settlement-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
