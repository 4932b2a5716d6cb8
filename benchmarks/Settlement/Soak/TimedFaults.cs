using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Benchmarks.Settlement.Soak;

/// <summary>
/// Faults that happen at a moment, in two lanes that run beside each other: what befalls the host and its disk, and what befalls the node
/// and the chain. Kinds and pauses come from the seed; how processes interleave does not.
/// </summary>
internal sealed class TimedFaults(SoakedHost host, SoakedNode node, FaultProxy proxy, SmallDisk? disk, EvmAddress contract, EvmAddress account, ReceiptBook book, FaultTally tally, Func<Task> afterRestart)
{
    private const int DeepestReorganisation = 12;

    /// <summary>What <c>og init --development</c> writes: an anchor is final in the third block, its own included.</summary>
    private const int FinalityDepth = 3;

    // Three times what a replacement with the settler's highest fee can reach: nothing is mined until it has fallen.
    private const string Spike = "0x8bb2c97000", Funds = "0x3635c9adc5dea00000";

    private static readonly TimeSpan PendingLimit = TimeSpan.FromSeconds(4), SpikeLimit = TimeSpan.FromSeconds(8);

    public static Fault[] HostKinds(bool withDisk) => withDisk
        ? [Fault.HostKilled, Fault.HostKilled, Fault.HostKilled, Fault.HostTerminated, Fault.DiskFull]
        : [Fault.HostKilled, Fault.HostKilled, Fault.HostKilled, Fault.HostTerminated];

    public static Fault[] ChainKinds { get; } =
    [
        Fault.ShallowReorganisation, Fault.DeepReorganisation, Fault.DeepReorganisation, Fault.MempoolLost, Fault.NodeKilled, Fault.NodeSilent, Fault.BaseFeeSpike, Fault.AccountEmpty,
    ];

    /// <summary>Draws and does one fault after the other until cancelled; each is over, and healed, when this returns.</summary>
    /// <param name="kinds">What is drawn from.</param>
    /// <param name="shortest">Seconds between two faults.</param>
    /// <param name="longest">Seconds between two faults.</param>
    /// <param name="seed">Of kinds, moments and sizes.</param>
    /// <param name="stop">Ends the lane after the fault that is going on.</param>
    public async Task RunAsync(Fault[] kinds, double shortest, double longest, int seed, CancellationToken stop)
    {
        var random = new Random(seed);
        var deck = new Deck(kinds, random);
        while (true)
        {
            try
            {
                await Task.Delay(TimeSpan.FromSeconds(shortest + (random.NextDouble() * (longest - shortest))), stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            host.ThrowIfEnded();
            await DoAsync(deck.Draw(), random);
        }
    }

    /// <summary>Gives the account its coins back: a chain that went back to a block of the time when it was empty has taken them again.</summary>
    public Task FundAsync() => node.Anvil.CallAsync("anvil_setBalance", $"[\"{account}\",\"{Funds}\"]");

    private Task DoAsync(Fault fault, Random random) => fault switch
    {
        Fault.HostKilled => KillHostAsync(random),
        Fault.HostTerminated => TerminateHostAsync(),
        Fault.DiskFull => FillDiskAsync(random),
        Fault.NodeKilled => KillNodeAsync(random),
        Fault.NodeSilent => SilenceNodeAsync(random),
        Fault.ShallowReorganisation => ReorganiseAsync(fault, random.Next(1, FinalityDepth), random),
        Fault.DeepReorganisation => ReorganiseAsync(fault, random.Next(FinalityDepth, DeepestReorganisation + 1), random),
        Fault.MempoolLost => LoseMempoolAsync(),
        Fault.BaseFeeSpike => SpikeAsync(),
        Fault.AccountEmpty => EmptyAccountAsync(random),
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, "not a fault of a moment"),
    };

    private async Task KillHostAsync(Random random)
    {
        var before = book.Cut;
        await host.KillAsync();
        await Task.Delay(random.Next(0, 1500));
        tally.Add(Fault.HostKilled, book.Cut > before);
        await host.StartAsync();
        await afterRestart();
    }

    private async Task TerminateHostAsync()
    {
        var ended = await host.TerminateAsync();
        if (!ended) book.Violation("the host did not end with code 0 within 60 s of SIGTERM");
        tally.Add(Fault.HostTerminated, ended);
        await host.StartAsync();
        await afterRestart();
    }

    private async Task FillDiskAsync(Random random)
    {
        var before = book.TurnedAway;
        disk!.Fill();
        var named = await WatchAsync("OutboxFull", TimeSpan.FromSeconds(random.Next(4, 16)));
        disk.Free();
        tally.Add(Fault.DiskFull, named || book.TurnedAway > before);
    }

    private async Task KillNodeAsync(Random random)
    {
        var before = proxy.Unreachable;
        var lost = await node.KillAndRestartAsync(TimeSpan.FromMilliseconds(random.Next(200, 3000)));
        tally.Add(Fault.NodeKilled, lost > 0 || proxy.Unreachable > before);
        await FundAsync();
    }

    private async Task SilenceNodeAsync(Random random)
    {
        var before = proxy.Refused;
        proxy.Silent = true;
        await Task.Delay(TimeSpan.FromSeconds(random.Next(1, 8)));
        proxy.Silent = false;
        tally.Add(Fault.NodeSilent, proxy.Refused > before);
    }

    private async Task ReorganiseAsync(Fault fault, int depth, Random random)
    {
        depth = Math.Min(depth, await node.ReachableDepthAsync());
        if (depth < 1 || (fault == Fault.DeepReorganisation && depth < FinalityDepth)) return;
        // At the tip, where an anchor has just come: the newest blocks are often empty, and undoing those shows little.
        var events = 0;
        for (var start = TimeProvider.System.GetTimestamp(); events == 0 && TimeProvider.System.GetElapsedTime(start) < PendingLimit; await Task.Delay(50))
            events = await node.EventsInNewestAsync(contract, depth);
        // Either the chain comes back shorter, or as long and without what was in it.
        var done = random.Next(2) == 0
            ? await node.Anvil.TryCallAsync("anvil_rollback", $"[{depth}]")
            : await node.Anvil.TryCallAsync("anvil_reorg", $"[{depth},[]]");
        if (done is null) return; // its state that long ago is gone
        tally.Add(fault, events > 0);
        tally.Depth(depth);
        await FundAsync();
    }

    private async Task LoseMempoolAsync()
    {
        var pending = await node.UntilPendingAsync(PendingLimit);
        if (await node.Anvil.TryCallAsync("anvil_dropAllTransactions") is not null) tally.Add(Fault.MempoolLost, pending);
    }

    private async Task SpikeAsync()
    {
        await node.UntilPendingAsync(PendingLimit);
        if (await node.Anvil.TryCallAsync("anvil_setNextBlockBaseFeePerGas", $"[\"{Spike}\"]") is null) return;
        var from = await node.Anvil.BlockNumberAsync();
        var held = false;
        // The base fee falls by an eighth with each empty block: it stays above the cap for nine.
        for (var start = TimeProvider.System.GetTimestamp(); !held && TimeProvider.System.GetElapsedTime(start) < SpikeLimit; await Task.Delay(100))
            held = (await node.Anvil.BlockNumberAsync() > from && await node.PendingAsync() > 0) || (await host.ConditionsAsync()).Contains("FeeCapReached");
        tally.Add(Fault.BaseFeeSpike, held);
    }

    private async Task EmptyAccountAsync(Random random)
    {
        var before = proxy.Underfunded;
        if (await node.Anvil.TryCallAsync("anvil_setBalance", $"[\"{account}\",\"0x0\"]") is null) return;
        var named = await WatchAsync("AccountEmpty", TimeSpan.FromSeconds(random.Next(2, 8)));
        await FundAsync();
        tally.Add(Fault.AccountEmpty, named || proxy.Underfunded > before);
    }

    /// <summary>Lets the time pass; whether the host showed this condition meanwhile.</summary>
    private async Task<bool> WatchAsync(string condition, TimeSpan time)
    {
        var seen = false;
        for (var start = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(start) < time; await Task.Delay(100))
            seen |= (await host.ConditionsAsync()).Contains(condition);
        return seen;
    }
}
