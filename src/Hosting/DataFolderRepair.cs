using System.Globalization;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Settlement.Backup;
using OpenGradient.Engine.Settlement.Chain;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Attestation;

namespace OpenGradient.Engine.Hosting;

/// <summary>Repairs of the data folder of a host that is stopped.</summary>
public static class DataFolderRepair
{
    /// <summary>Brings the log up to a copy of what was published of it, after comparing that copy with the contract's head.</summary>
    /// <param name="published">Reads a file of the copy by its relative path; null when it is not there.</param>
    /// <exception cref="LogRepairException">Copy, folder and contract do not fit; nothing was written.</exception>
    /// <exception cref="ConfigurationException">There is no chain to compare with.</exception>
    public static async Task<RepairReport> FetchAsync(HostConfiguration configuration, Func<string, byte[]?> published, TimeProvider clock, CancellationToken cancellation)
    {
        if (configuration.Chain is not { } chain) throw new ConfigurationException(["chain: without a chain nothing says how far the log had come"]);
        var folder = new DataFolder(configuration.Data);
        using var logKey = LogKey.Open(AttestationShim.Load(configuration.Attestation.Library), folder.LogKey);
        using var http = new HttpClient();
        var contract = EvmAddress.Parse(chain.Contract);
        var seen = await new EvmChain(new RpcClient(http, RpcOptions.AskedOnce(new Uri(chain.Rpc))), contract)
            .ObserveAsync(default, logKey.LogId, askFinalized: false, [], cancellation).ConfigureAwait(false);
        if (!seen.IsOk) throw new LogRepairException($"the chain does not answer: {seen.Detail}");
        if (seen.Value.ChainId != chain.Id || seen.Value.Head is not { } head) throw new LogRepairException("the node serves another chain, or the contract is not there");
        return await LogRepair.RunAsync(folder.Root, new OutboxOptions(), published, head.Head.IsZero ? LogHead.Empty : head.Head, clock).ConfigureAwait(false);
    }

    /// <summary>Moves log, journal, archive and log key into a folder beside them, so that the next start begins a new log.</summary>
    /// <returns>That folder, and how many statements the old log held and had final.</returns>
    /// <exception cref="OutboxLockedException">The host is running.</exception>
    public static (string Aside, ulong Statements, ulong Final) PutAside(HostConfiguration configuration, TimeProvider clock)
    {
        var folder = new DataFolder(configuration.Data);
        var (statements, final) = LogRepair.Sizes(folder.Root, new OutboxOptions(), clock);
        var aside = Path.Combine(folder.Root, "old-log-" + clock.GetUtcNow().ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture));
        Directory.CreateDirectory(aside);
        // The key first: whatever a crash leaves, the old key signs nothing for a new journal.
        foreach (var path in new[] { folder.LogKey, folder.Outbox, Path.Combine(folder.Root, "archive"), folder.Log })
        {
            if (File.Exists(path)) File.Move(path, Path.Combine(aside, Path.GetFileName(path)));
            else if (Directory.Exists(path)) Directory.Move(path, Path.Combine(aside, Path.GetFileName(path)));
        }

        return (aside, statements, final);
    }
}
