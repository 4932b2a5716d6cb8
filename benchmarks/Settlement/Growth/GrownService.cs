using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Benchmarks.Settlement.Growth;

/// <summary>A settlement service over a folder, with a ledger inside the process.</summary>
internal sealed class GrownService : IAsyncDisposable
{
    private const ulong ChainId = 31337;

    // What may be on its way: enough to keep every stage busy, far from what memory must be bounded for.
    private const long MostOpenReceipts = 200_000;

    private readonly CancellationTokenSource _stopping = new();
    private readonly HttpClient _http;
    private readonly Task _settling;

    public GrownService(string folder, GrowthLog log, MemoryLedger ledger)
    {
        _http = new HttpClient(ledger, disposeHandler: false);
        Service = SettlementService.Open(
            new SettlementOptions
            {
                DataFolder = folder, ChainId = ChainId, Contract = Contract, FinalityDepth = 2, MaxBatchAge = TimeSpan.FromMilliseconds(50),
                PollInterval = TimeSpan.FromMilliseconds(5), MaxOpenReceipts = MostOpenReceipts,
            },
            new SettlementParts
            {
                Rpc = new RpcClient(_http, new RpcOptions { Endpoint = new Uri("http://127.0.0.1:9/"), Timeout = TimeSpan.FromMinutes(5) }),
                Verifier = log, CheckpointSigner = log, NoteSigner = log, TransactionSigner = log,
            });
        _settling = Task.Run(() => Service.RunAsync(_stopping.Token));
    }

    public static EvmAddress Contract { get; } = EvmAddress.Parse("0x00000000000000000000000000000000000000cc");

    public SettlementService Service { get; }

    public static MemoryLedger NewLedger() => new(ChainId, Contract);

    /// <summary>Ended by a failure, it says which.</summary>
    public Task Settling => _settling;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        try
        {
            await _settling;
        }
        finally
        {
            Service.Dispose();
            _http.Dispose();
            _stopping.Dispose();
        }
    }
}
