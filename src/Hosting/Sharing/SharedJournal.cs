using System.Security.Cryptography;
using System.Text;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Hosting.Trust;
using OpenGradient.Engine.Settlement.Evm;
using OpenGradient.Engine.Settlement.Outbox;
using OpenGradient.Engine.Settlement.Postgres;
using OpenGradient.Engine.Settlement.Workers;
using OpenGradient.Engine.Verification;

namespace OpenGradient.Engine.Hosting.Sharing;

/// <summary>The database that engines and workers share, as a configuration names it.</summary>
internal sealed class SharedJournal : IDisposable
{
    private readonly HostConfiguration _configuration;
    private readonly PostgresDatabase _database;
    private readonly TimeProvider _clock;

    private SharedJournal(HostConfiguration configuration, PostgresDatabase database, TimeProvider clock) => (_configuration, _database, _clock) = (configuration, database, clock);

    /// <summary>Null where the journal is the data folder's segment log.</summary>
    /// <exception cref="ConfigurationException">The connection string is malformed.</exception>
    /// <exception cref="AttestationException">Its file cannot be read, or others have access to it.</exception>
    /// <exception cref="IOException">The database cannot be used.</exception>
    public static SharedJournal? Open(HostConfiguration configuration, AttestationShim shim, TimeProvider clock)
    {
        if (configuration.Outbox is not { Kind: "postgres", ConnectionStringFile: { } file } outbox) return null;
        var secret = SecretFile.Read(shim, file);
        try
        {
            var options = new PostgresOptions
            {
                Lease = TimeSpan.FromMilliseconds(outbox.LeaseMs),
                PollInterval = TimeSpan.FromMilliseconds(outbox.PollMs),
                StatementTimeout = TimeSpan.FromMilliseconds(outbox.StatementTimeoutMs),
            };
            return new SharedJournal(configuration, PostgresDatabase.Open(Encoding.UTF8.GetString(secret).Trim(), options, clock), clock);
        }
        catch (FormatException malformed)
        {
            throw new ConfigurationException([$"outbox.connectionStringFile '{file}': {malformed.Message}"]);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    public void Dispose() => _database.Dispose();

    /// <summary>Opens the journal of one engine's log. The folder names the engine: a lease that its earlier life left is its own.</summary>
    public Func<IRecordSink, OutboxNews, IOutbox> OpenerOf(Hash256 logId, DataFolder folder) => (sink, news) =>
        PostgresOutbox.Open(_database, logId, $"{Environment.MachineName}:{folder.Root}", new OutboxOptions(), sink, news);

    public JournalWorker Settler(RpcClient rpc, ITransactionSigner account) =>
        JournalWorker.Settler(_database, ThisProcess, SettlementSettings.Of(_configuration), rpc, account, _clock);

    /// <summary>A verifier that trusts what its trust file names.</summary>
    /// <exception cref="ConfigurationException">The trust file is for another chain or contract.</exception>
    public JournalWorker Verifier(AttestationShim shim)
    {
        var (file, options) = (_configuration.Outbox.TrustFile!, SettlementSettings.Of(_configuration));
        var policy = TrustFile.Read(file).ToPolicy();
        if (policy.ChainId != options.ChainId || policy.Contract != options.Contract)
            throw new ConfigurationException([$"outbox.trustFile '{file}': it names chain {policy.ChainId} and contract {policy.Contract}, the configuration chain {options.ChainId} and contract {options.Contract}"]);
        var signatures = new NativeSignatures(shim);
        return JournalWorker.Verifier(_database, ThisProcess, options, logId =>
        {
            var epochs = new EpochRegistry(logId, options.ChainId, options.Contract, new EvidenceVerifier(signatures), policy.Evidence, _clock);
            return new LogVerifier(new StatementVerifier(epochs, signatures), epoch => policy.Logs.Contains(logId) ? Refusal(epochs.Add(epoch.Evidence.Span)) : "the trust file does not name this log");
        }, _clock);
    }

    private static string ThisProcess { get; } = $"{Environment.MachineName}:{Environment.ProcessId}:{RandomNumberGenerator.GetHexString(8, lowercase: true)}";

    private static string? Refusal(KnownEpoch? epoch) => epoch switch
    {
        null => "its bytes are no evidence",
        { Failures.Count: > 0 } => string.Join(", ", epoch.Failures.Select(reason => reason.Text())),
        _ => null,
    };
}
