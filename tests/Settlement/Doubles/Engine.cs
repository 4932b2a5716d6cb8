using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Outbox;

namespace OpenGradient.Engine.Settlement.Tests.Doubles;

/// <summary>A settlement service over a folder that outlives it, with everything a test bends.</summary>
internal sealed class Engine(Anvil anvil, string seed, IDisk disk, string folder) : IDisposable
{
    // From the name alone, so that a failure replays in another process.
    private readonly Random _random = new((int)System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(Hash256.Sha256(System.Text.Encoding.UTF8.GetBytes(seed)).Bytes));
    private HttpClient? _http;
    private int _lives;
    private ulong _floor; // no event of this log is in an earlier block, however deep a reorganisation a test makes
    private readonly List<string> _earlier = [];
    private readonly Dictionary<ulong, Hash256> _rootAt = [];

    /// <summary>Archives, snapshots and merges at almost every occasion, so that every fault meets them.</summary>
    public static StorageOptions Restless { get; } = new()
    {
        FinalReceiptsInMemory = 2, ArchiveStep = 1, FinalOperationsInMemory = 1, SnapshotEveryBytes = 1024, Interval = TimeSpan.FromMilliseconds(5),
    };

    /// <summary>The service's clock, and that of the statements.</summary>
    public TimeProvider Clock { get; set; } = TimeProvider.System;

    public TestLog Log => field ??= new(seed) { Clock = Clock };

    public TestEpoch Epoch { get; private set; } = new(seed + " epoch 0");

    public TestVerifier Verifier { get; } = new();

    public FaultHandler Faults { get; private set; } = new();

    /// <summary>Requests that send, of every life.</summary>
    public IEnumerable<string> EverSent => _earlier.Concat(Faults.Sent);

    public SettlementService Service { get; private set; } = null!;

    /// <summary>Answers for witnesses; null where the options name none.</summary>
    public HttpMessageHandler? Witnesses { get; set; }

    /// <summary>Every epoch there was.</summary>
    public Dictionary<Hash256, TestEpoch> Epochs { get; } = [];

    /// <summary>Where the node is asked; another than the node itself for a proxy.</summary>
    public Uri Endpoint { get; set; } = anvil.Endpoint;

    public TimeSpan RpcTimeout { get; set; } = TimeSpan.FromSeconds(30);

    public ITransactionSigner Account { get; set; } = anvil.Account;

    /// <summary>A journal that a worker shares; the engine then has no paying account.</summary>
    public Func<IRecordSink, OutboxNews, IOutbox>? SharedJournal { get; set; }

    public SettlementOptions Options { get; set; } = new()
    {
        DataFolder = folder, ChainId = Anvil.ChainId, Contract = anvil.Contract, MaxBatchAge = TimeSpan.Zero, FinalityDepth = 3,
        Outbox = new OutboxOptions { SegmentSize = 64 << 10 }, PollInterval = TimeSpan.FromMilliseconds(20), Storage = Restless,
    };

    /// <summary>Opens the folder, as a process start does. A new epoch is what a restarted process has.</summary>
    public Engine Start(bool newEpoch = false)
    {
        if (Service is null && anvil.BlockNumber().GetAwaiter().GetResult() is var block && block > 100) _floor = block - 100;
        if (newEpoch) Epoch = new TestEpoch($"{seed} epoch {++_lives}");
        _earlier.AddRange(Faults.Sent);
        Faults = new FaultHandler();
        _http = new HttpClient(Faults);
        var parts = new SettlementParts
        {
            Rpc = new RpcClient(_http, new RpcOptions { Endpoint = Endpoint, Timeout = RpcTimeout }),
            Verifier = Verifier, CheckpointSigner = Epoch, NoteSigner = Log, TransactionSigner = SharedJournal is null ? Account : null, OpenOutbox = SharedJournal, Disk = disk, Clock = Clock,
            Http = Witnesses is null ? null : new HttpClient(Witnesses), Signatures = TestSignatures.Instance,
        };
        Service = Service is null ? SettlementService.Open(Options, parts) : Locks.Retake(() => SettlementService.Open(Options, parts));
        Epochs[Epoch.Epoch.Id] = Epoch;
        return this;
    }

    public void Stop()
    {
        Service?.Dispose();
        _http?.Dispose();
    }

    public void Dispose() => Stop();

    /// <summary>Announces a successor, which signs what comes from now on.</summary>
    /// <returns>The epoch before, whose key is still there.</returns>
    public async Task<TestEpoch> Rotate()
    {
        var (before, next) = (Epoch, new TestEpoch($"{seed} epoch {++_lives}"));
        await Service.BeginEpochAsync(next, CancellationToken.None);
        (Epoch, Epochs[next.Epoch.Id]) = (next, next);
        return before;
    }

    public SealedBatch NewBatch(int rows = 3, TestEpoch? epoch = null) => Log.Batch(epoch ?? Epoch, rows, _random);

    /// <summary>Hands a batch over and returns when it is durable.</summary>
    public async Task<SealedBatch> Accept(int rows = 3, TestEpoch? epoch = null)
    {
        var batch = NewBatch(rows, epoch);
        Assert.True(Service.TryAccept(batch));
        var outcome = await Service.WaitAsync(batch.StatementId, ReceiptStage.Durable, CancellationToken.None);
        Assert.Equal(State.WaitStatus.Reached, outcome.Status);
        return batch;
    }

    /// <summary>Hands a batch over, then ticks and makes blocks until it is final.</summary>
    public async Task<SealedBatch> AcceptUntilFinal()
    {
        var batch = await Accept();
        await RunUntilFinal(batch);
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

    /// <summary>
    /// The chain's canonical events are exactly the batches in order: sizes grow, each root is this log's tree at that size,
    /// the contract's head is the last one, and every statement is final under exactly one of them.
    /// </summary>
    public async Task<List<ChainEvent>> Audit(params SealedBatch[] batches)
    {
        var events = await anvil.Anchors(Log.LogId, _floor);
        var (size, head) = (0UL, LogHead.Empty);
        foreach (var item in events)
        {
            var anchored = item.Anchored(Log.LogId)!.Value;
            Assert.True(anchored.Size > size, $"size {anchored.Size} was anchored after {size}");
            Assert.True(MerkleTree.VerifyConsistency(size, LogRoot(size), anchored.Size, anchored.Root, Service.GetConsistencyProof(size, anchored.Size)!), $"the root anchored at {anchored.Size} is not this log's");
            (size, head) = (anchored.Size, LogHead.Pack(anchored.Root, anchored.Size));
            _rootAt[size] = anchored.Root;
        }

        Assert.Equal(head, await anvil.Head(Log.LogId));
        var leaves = new HashSet<ulong>();
        foreach (var batch in batches)
        {
            var proof = Service.GetProof(batch.StatementId)!;
            Assert.Equal(ReceiptStage.Final, proof.Stage);
            Assert.True(leaves.Add(proof.Inclusion!.LeafIndex), "two statements share a leaf");
            Assert.All(Enumerable.Range(0, batch.Count), row => Assert.True(Service.Find(batch.ReceiptId(row)) is null or { Statement.Stage: ReceiptStage.Final }));
            Assert.Equal(proof.Checkpoint!.Root, MerkleTree.RootFromPath(batch.StatementId, proof.Inclusion.LeafIndex, proof.Inclusion.TreeSize, proof.Inclusion.Path));
            Assert.Single(events, item => item.At == proof.Anchor);
        }

        Assert.Equal((ulong)batches.Length, LogHead.SizeOf(head));
        return events;
    }

    private Hash256 LogRoot(ulong size) => size == 0 ? MerkleTree.Root([]) : _rootAt[size];
}

/// <summary>A folder of its own on the real disk.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("og-settlement-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
