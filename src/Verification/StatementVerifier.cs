using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification;

/// <summary>
/// Re-checks a statement from its bytes: structure, log, epoch, the epoch's evidence (judged once, kept in the registry),
/// signature. Safe for concurrent calls.
/// </summary>
public sealed class StatementVerifier(EpochRegistry epochs, ISignatureVerifier signatures) : IStatementVerifier
{
    /// <inheritdoc/>
    public IReadOnlyList<VerificationReason> Verify(ReadOnlyMemory<byte> statement)
    {
        if (CanonicalForm.Statement(statement.Span) is not { } decoded) return [VerificationReason.StatementMalformed];

        var reasons = new List<VerificationReason>();
        if (decoded.LogId != epochs.LogId) reasons.Add(VerificationReason.LogNotTrusted);
        if (epochs.Find(decoded.Epoch) is not { } epoch)
        {
            reasons.Add(VerificationReason.EpochUnknown);
            return reasons;
        }

        reasons.AddRange(epoch.Failures);
        var digest = Hash256.Sha256(statement.Span[..Formats.Statement.HeaderSize]);
        if (!signatures.VerifySecp256k1(epoch.SigningKey.Span, digest, decoded.Signature.Span)) reasons.Add(VerificationReason.StatementSignatureInvalid);
        return reasons;
    }
}
