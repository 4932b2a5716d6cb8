using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.State;
using OpenGradient.Engine.Settlement.Tests.Doubles;
using OpenGradient.Engine.Settlement.Tests.Simulation;

namespace OpenGradient.Engine.Settlement.Tests.TrustGap;

/// <summary>A service without a chain, on a simulated disk and a clock that stands still.</summary>
internal sealed class GapFixture : IDisposable
{
    private readonly TestLog _log;
    private readonly HttpClient _http = new();
    private readonly Random _random = new(3);

    public GapFixture() => (_log, Disk) = (new("gap") { Clock = Clock }, new(Simulated));

    public SteppedClock Clock { get; } = new();

    public SimulatedDisk Simulated { get; } = new(3);

    public GatedDisk Disk { get; }

    public TestEpoch Epoch { get; } = new("gap");

    public TestVerifier Verifier { get; } = new();

    public SettlementOptions Options { get; set; } = new()
    {
        DataFolder = "/data", ChainId = 1, Contract = EvmAddress.Parse("0x00000000000000000000000000000000000000aa"), Outbox = new OutboxOptions { SegmentSize = 64 << 10 },
    };

    public SettlementService Open() => SettlementService.Open(Options, new SettlementParts
    {
        Rpc = new RpcClient(_http, new RpcOptions { Endpoint = new Uri("http://127.0.0.1:1") }), Verifier = Verifier,
        CheckpointSigner = Epoch, NoteSigner = _log, TransactionSigner = Secp256k1.FromSeed("account"), Disk = Disk, Clock = Clock,
    });

    public SealedBatch Batch(int rows = 1, string model = "digits")
    {
        Epoch.Context = Epoch.Context with { ModelName = model };
        return _log.Batch(Epoch, rows, _random);
    }

    public async Task<SealedBatch> Accept(SettlementService service, int rows = 1, string model = "digits")
    {
        var batch = Batch(rows, model);
        Assert.True(service.TryAccept(batch));
        Assert.Equal(WaitStatus.Reached, (await service.WaitAsync(batch.StatementId, ReceiptStage.Durable, CancellationToken.None)).Status);
        return batch;
    }

    /// <summary>Verifies what is durable; nobody listens at the chain's endpoint.</summary>
    public static Task Verify(SettlementService service) => service.TickAsync(CancellationToken.None);

    /// <summary>Takes a batch whose check fails: open until the next <see cref="Verify"/>, closed after it.</summary>
    public async Task<SealedBatch> AcceptBad(SettlementService service, int rows = 1, string model = "digits")
    {
        var batch = Batch(rows, model);
        Verifier.Bad.Add(batch.StatementId);
        Assert.True(service.TryAccept(batch));
        Assert.Equal(WaitStatus.Reached, (await service.WaitAsync(batch.StatementId, ReceiptStage.Durable, CancellationToken.None)).Status);
        return batch;
    }

    public void Dispose()
    {
        _http.Dispose();
        Disk.Dispose();
    }
}
