using OpenGradient.Engine.Benchmarks.Settlement.Growth;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Keeping;

/// <summary>A settlement service whose chain is inside the process and whose time stands still, for tests of what is kept.</summary>
/// <param name="chainOf">Another engine whose log, key and chain this one has: what a copy of its folder is opened with.</param>
internal sealed class KeptEngine(IDisk disk, string folder = "/data", KeptEngine? chainOf = null) : IDisposable
{
    private const ulong ChainId = 31337;
    private static readonly EvmAddress Contract = EvmAddress.Parse("0x00000000000000000000000000000000000000cc");

    private readonly TestLog _log = chainOf?._log ?? new(FixtureWriter.Seed);
    private readonly TestEpoch _epoch = new(FixtureWriter.Seed);
    private readonly Random _random = chainOf?._random ?? new(7);
    private readonly MemoryLedger _ledger = chainOf?._ledger ?? new(ChainId, Contract);
    private readonly Dictionary<Hash256, ulong?> _leaves = [];
    private HttpClient? _http;

    public MemoryLedger Ledger => _ledger;

    public StoppedClock Clock { get; } = new();

    public TestVerifier Verifier { get; } = new();

    public SettlementService Service { get; private set; } = null!;

    public Hash256 LogId => _log.LogId;

    public SettlementOptions Options { get; set; } = new()
    {
        DataFolder = folder, ChainId = ChainId, Contract = Contract, MaxBatchAge = TimeSpan.Zero, FinalityDepth = 2, Outbox = new OutboxOptions { SegmentSize = 8 << 10 }, Storage = Doubles.Engine.Restless,
        HaltOnBadStatement = false, // what is kept of a bad statement is asked here, and the log goes on
    };

    public KeptEngine Start()
    {
        _http = new HttpClient(_ledger, disposeHandler: false);
        var parts = new SettlementParts
        {
            Rpc = new RpcClient(_http, new RpcOptions { Endpoint = new Uri("http://127.0.0.1:9/"), Timeout = TimeSpan.FromMinutes(1) }),
            Verifier = Verifier, CheckpointSigner = _epoch, NoteSigner = _log, TransactionSigner = Secp256k1.FromSeed("account"), Disk = disk, Clock = Clock,
        };
        Service = Service is null ? SettlementService.Open(Options, parts) : Locks.Retake(() => SettlementService.Open(Options, parts));
        return this;
    }

    public void Stop()
    {
        Service?.Dispose();
        _http?.Dispose();
    }

    public void Dispose()
    {
        Stop();
        _ledger.Dispose();
    }

    public SealedBatch NewBatch(int rows) => _log.Batch(_epoch, rows, _random);

    public async Task<SealedBatch> Accept(int rows)
    {
        var batch = NewBatch(rows);
        Assert.True(Service.TryAccept(batch));
        Assert.Equal(State.WaitStatus.Reached, (await Service.WaitAsync(batch.StatementId, ReceiptStage.Durable, CancellationToken.None)).Status);
        return batch;
    }

    /// <summary>Accepts this many batches of one to three rows, some at a time, and settles them.</summary>
    public async Task<List<SealedBatch>> Grow(int batches, int atOnce = 20)
    {
        var grown = new List<SealedBatch>();
        while (grown.Count < batches)
        {
            var group = new List<SealedBatch>();
            while (group.Count < atOnce && grown.Count + group.Count < batches) group.Add(await Accept(1 + ((grown.Count + group.Count) % 3)));
            await Settle(group);
            grown.AddRange(group);
        }

        return grown;
    }

    public async Task Settle(IReadOnlyCollection<SealedBatch> batches)
    {
        for (var round = 0; round < 40; round++)
        {
            if (batches.All(IsFinal)) return;
            await Service.TickAsync(CancellationToken.None);
        }

        Assert.Fail("not final: " + string.Join("; ", Service.Conditions));
    }

    /// <summary>The leaf that a batch had when it was last settled here.</summary>
    public ulong? LeafOf(SealedBatch batch) => _leaves[batch.StatementId];

    private bool IsFinal(SealedBatch batch)
    {
        var status = Service.Find(batch.StatementId);
        _leaves[batch.StatementId] = status?.Leaf;
        return status?.Stage == ReceiptStage.Final;
    }

    /// <summary>Everything that is said of every receipt, and that each one's proof holds from its bytes on.</summary>
    public List<string> Look(IEnumerable<SealedBatch> batches)
    {
        var lines = new List<string>();
        foreach (var batch in batches)
        {
            Assert.Equal(batch.Statement.ToArray(), Service.ReadStatement(batch.StatementId));
            for (var row = 0; row < batch.Count; row++)
            {
                lines.Add(FixtureWriter.Line(Service, batch.ReceiptId(row)));
                var bundle = ReceiptBundle.Decode(Service.GetProof(batch.ReceiptId(row))!.BundleOf(batch.Receipt(row)).Encode());
                Assert.Equal(bundle.Checkpoint!.Root, MerkleTree.RootFromPath(MerkleTree.LeafHash(bundle.Receipt.Statement.Span), bundle.Inclusion!.LeafIndex, bundle.Inclusion.TreeSize, bundle.Inclusion.Path));
                Assert.NotNull(bundle.Anchor);
                Assert.NotNull(bundle.Evidence);
            }
        }

        return lines;
    }
}

/// <summary>A clock that moves when a test says so.</summary>
internal sealed class StoppedClock : TimeProvider
{
    private DateTimeOffset _now = DateTimeOffset.UnixEpoch.AddYears(60);

    public void Advance(TimeSpan by) => _now += by;

    public override DateTimeOffset GetUtcNow() => _now;
}
