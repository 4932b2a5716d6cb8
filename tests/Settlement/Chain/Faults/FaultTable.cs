using System.Globalization;
using System.Runtime.CompilerServices;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Disk;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Tests.Doubles;

namespace OpenGradient.Engine.Settlement.Tests.Chain.Faults;

/// <summary>
/// What the fault table of docs/reliability.md shares: a node and an engine per seed, so that a seed replays alone, the
/// proxy between them, and the audit that ends every run. OG_FAULT_SEEDS=n runs seeds 1 to n, OG_FAULT_SEEDS=m-n those.
/// </summary>
public abstract class FaultTable
{
    // Three show that a test does not hang on one sequence; a long run asks for more.
    private protected static (int First, int Last) Seeds(int few = 3)
    {
        var parts = (Environment.GetEnvironmentVariable("OG_FAULT_SEEDS") ?? $"{few}").Split('-');
        var last = int.Parse(parts[^1], CultureInfo.InvariantCulture);
        return (parts.Length == 2 ? int.Parse(parts[0], CultureInfo.InvariantCulture) : 1, last);
    }

    /// <summary>Of the seed that runs.</summary>
    private protected Anvil Node { get; private set; } = new();

    /// <summary>Runs the fault once per seed. A failure names its seed.</summary>
    private protected async Task EachSeed(Func<Scene, Task> fault, [CallerMemberName] string name = "")
    {
        var (first, last) = Seeds();
        for (var seed = first; seed <= last; seed++) await WithNode(seed, async () =>
        {
            await using var scene = new Scene(Node, name, seed);
            await fault(scene);
            Assert.True(scene.Audited, "the run was not audited");
        });
    }

    private protected async Task WithNode(int seed, Func<Task> run)
    {
        Node = new Anvil { StateFile = StateFile() };
        await Node.InitializeAsync();
        try
        {
            await run();
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"seed {seed}: {failure.Message}", failure);
        }
        finally
        {
            await Node.DisposeAsync();
        }
    }

    /// <summary>Where a node keeps its state, for those that are killed.</summary>
    private protected virtual string? StateFile() => null;

    /// <summary>The account's next nonce by the latest block.</summary>
    private protected async Task<ulong> Nonce() => Convert.ToUInt64((await Node.Call("eth_getTransactionCount", $"[\"{Node.Account.Address}\",\"latest\"]")).Text, 16);

    /// <summary>A transaction of the paying account that is none of the engine's.</summary>
    private protected async Task SendForeign(ulong nonce)
    {
        var foreign = new Eip1559Transaction(Anvil.ChainId, nonce, 2_000_000_000, 60_000_000_000, 21_000, Node.Account.Address, 0, default);
        await Node.Call("eth_sendRawTransaction", $"[\"0x{Convert.ToHexStringLower(foreign.Encode(Node.Account.SignDigest(foreign.SigningHash())))}\"]");
    }
}

/// <summary>One run of one fault: an engine on a folder of its own behind a proxy, and everything it was given.</summary>
internal sealed class Scene : IAsyncDisposable
{
    private readonly Anvil _node;
    private readonly TemporaryFolder _folder = new();
    private readonly List<SealedBatch> _batches = [];

    public Scene(Anvil node, string name, int seed)
    {
        _node = node;
        Name = $"{name} {seed}";
        Random = new Random(seed);
        Proxy = new FaultProxy(node.Endpoint);
        Engine = new Doubles.Engine(node, Name, new LinuxDisk(), _folder.Path) { Endpoint = Proxy.Endpoint };
    }

    public string Name { get; }

    public Random Random { get; }

    public FaultProxy Proxy { get; }

    public Doubles.Engine Engine { get; }

    public string Folder => _folder.Path;

    public bool Audited { get; private set; }

    /// <summary>Transactions that were sent, each once, in the order of their first sending.</summary>
    public IReadOnlyList<string> Transactions =>
        [.. Engine.Faults.Sent.Select(text => text.Split('"')[^2]).Distinct()];

    /// <summary>The same over every start of the engine.</summary>
    public IReadOnlyList<string> EverSent => [.. Engine.EverSent.Select(text => text.Split('"')[^2]).Distinct()];

    public async ValueTask DisposeAsync()
    {
        Engine.Dispose();
        await Proxy.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Starts the engine and settles one to three batches, so that the fault strikes a log with a history.</summary>
    public async Task Begin()
    {
        Engine.Start();
        for (var i = Random.Next(1, 4); i > 0; i--) await Settle();
    }

    public async Task<SealedBatch> Accept()
    {
        var batch = await Engine.Accept(Random.Next(1, 6));
        _batches.Add(batch);
        return batch;
    }

    /// <summary>Hands over a batch and runs until it is final.</summary>
    public async Task<SealedBatch> Settle()
    {
        var batch = await Accept();
        await Engine.RunUntilFinal(batch);
        return batch;
    }

    /// <summary>Hands over a batch and runs until its anchor is in a block, with no block after it.</summary>
    public async Task<SealedBatch> Anchor()
    {
        var batch = await Accept();
        for (var round = 0; Stage(batch) != ReceiptStage.Anchored; round++)
        {
            Assert.True(round < 20, $"not anchored: {Stage(batch)}");
            await Engine.Tick();
            if (Stage(batch) != ReceiptStage.Anchored && Engine.Faults.Sent.Count > 0) await _node.Mine();
        }

        return batch;
    }

    /// <summary>Hands over a batch and runs until its anchor has been sent and waits in the pool.</summary>
    public async Task<SealedBatch> Send()
    {
        var sent = Transactions.Count;
        var batch = await Accept();
        for (var round = 0; Transactions.Count == sent; round++)
        {
            Assert.True(round < 20, "nothing was sent");
            await Engine.Tick();
        }

        return batch;
    }

    public ReceiptStage Stage(SealedBatch batch) => Engine.Service.Find(batch.StatementId)!.Stage;

    public bool Has(ConditionKind kind) => Engine.Service.Conditions.Any(condition => condition.Kind == kind);

    public async Task Ticks(int count)
    {
        for (var i = 0; i < count; i++) await Engine.Tick();
    }

    /// <summary>One more batch after the fault; everything final; the chain holds exactly the batches; nothing is held up any more.</summary>
    /// <param name="oneTransactionEach">Also that every transaction which was sent did its work: no second nonce, no replacement.</param>
    public async Task End(bool oneTransactionEach = false)
    {
        await Accept();
        await Engine.RunUntilFinal([.. _batches]);
        var anchors = await Engine.Audit([.. _batches]);
        if (oneTransactionEach) Assert.Equal(anchors.Count + 1, EverSent.Count); // and the registration
        await Engine.Tick();
        Assert.Empty(Engine.Service.Conditions);
        Audited = true;
    }
}
