using System.Text.Json;
using OpenGradient.Engine.Benchmarks.Report;
using OpenGradient.Engine.Benchmarks.Settlement.Processes;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Trust;

namespace OpenGradient.Engine.Benchmarks.Settlement.Soak;

/// <summary>Sets up, loads and faults for the given time, waits for quiet, audits, and says what happened.</summary>
internal sealed class SoakRun
{
    private const int VerifiedBundles = 40, LookedUpAfterRestart = 30;

    // Longer than the dearest healing: a base fee falls by an eighth per block, and a lost chain is anchored anew.
    private static readonly TimeSpan QuietLimit = TimeSpan.FromMinutes(5);

    private readonly SoakOptions _options;
    private readonly FaultTally _tally = new();
    private readonly ReceiptBook _book = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("og-soak-").FullName;

    private SoakRun(SoakOptions options) => _options = options;

    public static Task<int> MainAsync(string[] arguments) => BenchmarkRun.MainAsync("soak", SoakOptions.Help, arguments, () =>
    {
        var options = SoakOptions.Parse(arguments);
        if (!File.Exists(options.Og)) throw new InvalidOperationException($"{options.Og} does not exist; build the solution in Release");
        return new SoakRun(options).RunAsync();
    }, error => error is TimeoutException);

    private async Task<int> RunAsync()
    {
        var disk = SmallDisk.TryMount(Path.Combine(_folder, "disk"), _options.DiskMiB);
        try
        {
            return await RunAsync(disk);
        }
        finally
        {
            if (_options.Keep)
            {
                Console.Error.WriteLine($"kept: {_folder}{(disk is null ? "" : $"; its disk {disk.Root} is to be unmounted by hand")}");
            }
            else
            {
                disk?.Dispose();
                Directory.Delete(_folder, recursive: true);
            }
        }
    }

    private async Task<int> RunAsync(SmallDisk? disk)
    {
        var start = TimeProvider.System.GetTimestamp();
        await using var node = await SoakedNode.StartAsync(_folder);
        await using var proxy = new FaultProxy(node.Anvil.Endpoint, _tally, _options.Seed * 4);
        var data = Path.Combine(disk?.Root ?? _folder, "data");
        var (exit, said) = await ChildProcess.RunAsync(Path.GetFullPath(_options.Og), ["init", "--development", "--data", data, "--rpc", proxy.Endpoint.ToString(), "--models", "models"], TimeSpan.FromMinutes(2));
        if (exit != 0) throw new InvalidOperationException($"og init ended with {exit}: {said}");
        var (contract, log) = Trusted(Path.Combine(data, "trust.json"));
        await using var host = new SoakedHost(_options.Og, data);
        using var callers = new Callers(host.Address, _book, (_options.Seed * 4) + 1);
        SoakEvidence? evidence = null;
        var verified = 0;
        try
        {
            await host.StartAsync();
            await node.SetFloorAsync();
            var account = await RegistrarAsync(node, contract);
            await UnderFaultsAsync(new TimedFaults(host, node, proxy, disk, contract, account, _book, _tally, () => LookUpAsync(callers)), host, proxy, callers, disk is not null);
            Console.Error.WriteLine($"quiet: {_book.All.Count} acknowledged receipts are awaited");
            var known = await QuietAsync(host, callers);
            evidence = await EvidenceAsync(host, node, callers, contract, log, known);
            foreach (var violation in SoakAudit.Violations(evidence)) _book.Violation(violation);
            if (_book.Violations.Count == 0)
            {
                foreach (var unseen in SoakAudit.Blindness(evidence)) _book.Violation($"the audit is blind: it did not notice {unseen}");
                verified = await VerifyBundlesAsync(host, callers, node);
            }
        }
        catch (SoakViolationException violation)
        {
            _book.Violation(violation.Message);
        }
        catch (Exception silence) when (silence is HttpRequestException or TaskCanceledException or TimeoutException)
        {
            // After the last fault nothing excuses a host or node that does not answer.
            _book.Violation($"no answer after the last fault: {silence.Message}");
        }

        return Report(evidence, host.Starts, verified, disk is not null, TimeProvider.System.GetElapsedTime(start));
    }

    private async Task UnderFaultsAsync(TimedFaults faults, SoakedHost host, FaultProxy proxy, Callers callers, bool withDisk)
    {
        using var stopLoad = new CancellationTokenSource();
        using var stopFaults = new CancellationTokenSource(TimeSpan.FromMinutes(_options.Minutes));
        var load = Task.Run(() => callers.RunAsync(_options.Rate, stopLoad.Token));
        var promises = Task.Run(() => callers.KeepPromisesAsync(stopLoad.Token));
        proxy.Misbehaves = true;
        var lanes = new[]
        {
            Task.Run(() => faults.RunAsync(TimedFaults.HostKinds(withDisk), 3, 12, (_options.Seed * 4) + 2, stopFaults.Token)),
            Task.Run(() => faults.RunAsync(TimedFaults.ChainKinds, 1, 6, (_options.Seed * 4) + 3, stopFaults.Token)),
            Task.Run(() => ProgressAsync(host, stopFaults.Token)),
        };
        try
        {
            // A lane ends early only by a violation: then the rest of the time would show nothing.
            await await Task.WhenAny(lanes);
            await Task.WhenAll(lanes);
        }
        finally
        {
            await stopFaults.CancelAsync();
            await Task.WhenAll(lanes.Select(lane => lane.ContinueWith(_ => { }, TaskScheduler.Default)));
            proxy.Misbehaves = false;
            await stopLoad.CancelAsync();
            await load;
            host.ThrowIfEnded();
            await promises.WaitAsync(QuietLimit);
        }
    }

    private async Task ProgressAsync(SoakedHost host, CancellationToken stop)
    {
        for (var seconds = 0; !stop.IsCancellationRequested; seconds++)
        {
            if (seconds % 15 == 14) Console.Error.WriteLine($"{seconds + 1} s: {_book.Answers} answers, {_book.All.Count} acknowledged, {_book.Cut} cut, {_book.TurnedAway} turned away; {host.Starts} starts, reorganisations {_tally.Depths}");
            await Task.Delay(1000, stop).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    /// <summary>After every restart: what was acknowledged before is known.</summary>
    private async Task LookUpAsync(Callers callers)
    {
        foreach (var id in _book.All.Keys.Take(LookedUpAfterRestart * 20).Where(_ => Random.Shared.Next(20) == 0))
        {
            try
            {
                if (await callers.FindAsync(id) is null) _book.Violation($"acknowledged receipt {id} was not known after a restart");
            }
            catch (Exception away) when (away is HttpRequestException or TaskCanceledException)
            {
                return; // it ended again: the next restart asks again
            }
        }
    }

    /// <summary>Waits until every acknowledged receipt is final; what the host says of each then.</summary>
    private async Task<Dictionary<ReceiptId, (string, Hash256)>> QuietAsync(SoakedHost host, Callers callers)
    {
        var known = new Dictionary<ReceiptId, (string Stage, Hash256 Statement)>();
        var open = _book.All.Keys.ToList();
        for (var start = TimeProvider.System.GetTimestamp(); open.Count > 0 && TimeProvider.System.GetElapsedTime(start) < QuietLimit;)
        {
            var still = new List<ReceiptId>();
            foreach (var part in open.Chunk(16))
            {
                foreach (var (id, found) in await Task.WhenAll(part.Select(async id => (id, await callers.FindAsync(id)))))
                {
                    if (found is { } told) known[id] = told;
                    if (found is not { Stage: "final" }) still.Add(id);
                }

                // Those behind are younger: asking for all of them again and again would be load.
                if (still.Count > 64) break;
            }

            host.ThrowIfEnded();
            var asked = open.Count;
            open = [.. open.Where(id => !known.TryGetValue(id, out var told) || told.Stage != "final")];
            if (open.Count == asked) await Task.Delay(500);
        }

        foreach (var id in open)
            if (await callers.FindAsync(id) is { } told) known[id] = told;
        if (open.Count > 0) _book.Violation($"{open.Count} acknowledged receipts are not final {QuietLimit.TotalSeconds:0} s after the last fault; the host says: {string.Join(", ", (await host.ConditionsAsync()).DefaultIfEmpty("no condition holds"))}");
        return known;
    }

    private async Task<SoakEvidence> EvidenceAsync(SoakedHost host, SoakedNode node, Callers callers, EvmAddress contract, Hash256 log, Dictionary<ReceiptId, (string, Hash256)> known)
    {
        var (anchors, head) = await node.HistoryAsync(contract, log);
        var folder = Path.Combine(host.Folder, "log");
        return new SoakEvidence
        {
            Leaves = PublishedLog.Leaves(folder), Published = PublishedLog.Checkpoint(folder), Anchors = anchors, ContractHead = head,
            Acknowledged = _book.All, Known = known, Quarantined = await callers.OverviewNumberAsync("stages", "quarantined"),
        };
    }

    private async Task<int> VerifyBundlesAsync(SoakedHost host, Callers callers, SoakedNode node)
    {
        var file = Path.Combine(_folder, "bundle.ogb");
        var kept = _book.All.Values.Where(told => told.Receipt is not null).Select(told => told.Receipt!).ToArray();
        var verified = 0;
        foreach (var receipt in kept.Chunk(Math.Max(1, kept.Length / VerifiedBundles)).Select(chunk => chunk[0]))
        {
            await File.WriteAllBytesAsync(file, await callers.BundleAsync(receipt));
            var (exit, said) = await ChildProcess.RunAsync(Path.GetFullPath(_options.Og), ["verify", file, "--trust", host.Trust, "--rpc", node.Anvil.Endpoint.ToString()], TimeSpan.FromMinutes(1));
            if (exit != 0) _book.Violation($"og verify refused the bundle of receipt {Receipt.Decode(receipt).Id}: {said}");
            else verified++;
        }

        return verified;
    }

    private int Report(SoakEvidence? evidence, int starts, int verified, bool withDisk, TimeSpan took)
    {
        var kinds = Enum.GetValues<Fault>().Where(fault => withDisk || fault != Fault.DiskFull).ToArray();
        var vacuous = kinds.Where(fault => _tally.Of(fault).Bit == 0).ToArray();
        Console.WriteLine(FormattableString.Invariant($"Soak: seed {_options.Seed}, {_options.Minutes} minutes under faults, {took.TotalSeconds:0} s in all, {_options.Rate} requests/s, commit {Machine.Commit()}."));
        Console.WriteLine();
        TextTable.Print([["fault", "injected", "bit", "it bit when"], .. kinds.Select(fault => new[] { FaultTally.Text(fault), $"{_tally.Of(fault).Injected}", $"{_tally.Of(fault).Bit}", FaultTally.Bites(fault) })]);
        Console.WriteLine();
        if (!withDisk) Console.WriteLine("The disk was not filled: a small one could not be mounted (root), or was not asked for.");
        Console.WriteLine($"Reorganisations by depth: {_tally.Depths}.");
        Console.WriteLine($"Host starts: {starts}. Answers: {_book.Answers}; cut by a fault: {_book.Cut}; turned away by name: {_book.TurnedAway}; promises handed in: {_book.Resubmitted}.");
        Console.WriteLine($"Acknowledged receipts: {_book.All.Count}; final: {evidence?.Known.Count(pair => pair.Value.Stage == "final") ?? 0}. Statements in the log: {evidence?.Leaves.Length ?? 0}. Anchors: {evidence?.Anchors.Count ?? 0}. Bundles verified by og verify: {verified}.");
        foreach (var fault in vacuous) Console.WriteLine($"{(_options.MustBite ? "VIOLATION" : "note")}: '{FaultTally.Text(fault)}' never bit");
        foreach (var violation in _book.Violations) Console.WriteLine($"VIOLATION: {violation}");
        var holds = _book.Violations.Count == 0 && evidence is not null && verified > 0 && !(_options.MustBite && vacuous.Length > 0);
        Console.WriteLine(holds ? "Everything acknowledged is final, exactly once." : "The soak FAILED.");
        return holds ? BenchmarkRun.Ok : BenchmarkRun.CheckFailed;
    }

    private static (EvmAddress Contract, Hash256 Log) Trusted(string file)
    {
        var trust = TrustFile.Read(file).ToPolicy();
        return (trust.Contract, trust.Logs.Single());
    }

    /// <summary>The account that pays for anchors: whoever sent the contract's creation.</summary>
    private static async Task<EvmAddress> RegistrarAsync(SoakedNode node, EvmAddress contract)
    {
        for (var number = await node.Anvil.BlockNumberAsync(); number > 0; number--)
        {
            var block = await node.Anvil.TryCallAsync("eth_getBlockByNumber", $"[\"0x{number:x}\",true]");
            using var parsed = JsonDocument.Parse(block ?? "{}");
            foreach (var transaction in parsed.RootElement.GetProperty("transactions").EnumerateArray())
                if (transaction.TryGetProperty("to", out var to) && to.ValueKind == JsonValueKind.Null && EvmAddress.TryParse(transaction.GetProperty("from").GetString(), out var from)) return from;
        }

        throw new InvalidOperationException($"the chain has no creation of {contract}");
    }
}
