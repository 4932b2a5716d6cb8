using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Trust;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Host.Commands;

/// <summary>When an audit judges each epoch's evidence: at the time that was asked for, else by the chain, else now. An epoch is asked about once.</summary>
internal sealed class AuditMoments(TrustPolicy trust, HttpClient http, Uri? endpoint, DateTimeOffset? at, CancellationToken cancellation)
{
    private readonly EpochMoments? _chain = endpoint is null ? null : new EpochMoments(trust, new RpcClient(http, RpcOptions.AskedOnce(endpoint)));

    // An audit walks records in their order on one thread and has nothing else to do while the node answers.
    public EpochMoment Of(Evidence evidence)
    {
        var moment = _chain is null ? new EpochMoment(null, null) : _chain.FindAsync(evidence, null, cancellation).GetAwaiter().GetResult();
        return at is null ? moment : moment with { At = at };
    }
}
