using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Custody;
using OpenGradient.Engine.Verification;

namespace OpenGradient.Engine.Hosting.Trust;

/// <summary>Judges epochs and statements for an audit, by what a trust file names.</summary>
public sealed class AuditedEpochs : IEpochJudge
{
    private readonly EpochRegistry _registry;
    private readonly StatementVerifier _verifier;
    private readonly Func<Evidence, EpochMoment>? _moment;

    /// <param name="logId">The log.</param>
    /// <param name="trust">What is accepted.</param>
    /// <param name="signatures">Checks signatures.</param>
    /// <param name="evidence">Judges evidence.</param>
    /// <param name="moment">When each evidence is judged; null: now, and nothing shows how fresh it was.</param>
    public AuditedEpochs(Hash256 logId, TrustPolicy trust, ISignatureVerifier signatures, IEvidenceVerifier evidence, Func<Evidence, EpochMoment>? moment = null)
    {
        _moment = moment;
        _registry = new EpochRegistry(logId, trust.ChainId, trust.Contract, evidence, trust.Evidence);
        _verifier = new StatementVerifier(_registry, signatures);
    }

    /// <inheritdoc/>
    public IReadOnlyList<VerificationReason> Add(ReadOnlyMemory<byte> evidence)
    {
        var moment = _moment is null ? null : Decode(evidence.Span) is { } decoded ? _moment(decoded) : null;
        if (_registry.Add(evidence.Span, moment?.At) is not { } epoch) return [VerificationReason.EvidenceMalformed];
        return moment?.Failure is { } failure ? [.. epoch.Failures, failure.Reason] : epoch.Failures;
    }

    /// <inheritdoc/>
    public ReadOnlyMemory<byte>? SigningKey(Hash256 epoch) => _registry.Find(epoch)?.SigningKey;

    /// <inheritdoc/>
    public IReadOnlyList<VerificationReason> Verify(ReadOnlyMemory<byte> statement) => _verifier.Verify(statement);

    private static Evidence? Decode(ReadOnlySpan<byte> evidence)
    {
        try
        {
            return Evidence.Decode(evidence);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
