using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Settlement.Custody;
using OpenGradient.Engine.Verification;

namespace OpenGradient.Engine.Hosting.Trust;

/// <summary>Judges epochs and statements for an audit, by what a trust file names.</summary>
public sealed class AuditedEpochs : IEpochJudge
{
    private readonly EpochRegistry _registry;
    private readonly StatementVerifier _verifier;

    public AuditedEpochs(Hash256 logId, TrustPolicy trust, ISignatureVerifier signatures, IEvidenceVerifier evidence)
    {
        _registry = new EpochRegistry(logId, trust.ChainId, trust.Contract, evidence, trust.Evidence);
        _verifier = new StatementVerifier(_registry, signatures);
    }

    /// <inheritdoc/>
    public IReadOnlyList<VerificationReason> Add(ReadOnlyMemory<byte> evidence) => _registry.Add(evidence.Span) is { } epoch ? epoch.Failures : [VerificationReason.EvidenceMalformed];

    /// <inheritdoc/>
    public ReadOnlyMemory<byte>? SigningKey(Hash256 epoch) => _registry.Find(epoch)?.SigningKey;

    /// <inheritdoc/>
    public IReadOnlyList<VerificationReason> Verify(ReadOnlyMemory<byte> statement) => _verifier.Verify(statement);
}
