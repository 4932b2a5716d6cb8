namespace OpenGradient.Engine.Formats;

/// <summary>Why something was not accepted: a closed set. <see cref="VerificationReasons.Text"/> gives the names that <c>og verify</c> prints.</summary>
public enum VerificationReason
{
    BundleMalformed,
    ReceiptMalformed,
    StatementMalformed,
    LogNotTrusted,
    EpochUnknown,
    StatementSignatureInvalid,
    RowOutsideBatch,
    RowNotInBatch,
    ModelNotTrusted,
    EvidenceMissing,
    EvidenceMalformed,
    EvidenceNotForEpoch,
    EvidenceBindsOtherLog,
    EvidenceBindsOtherChain,
    EvidenceKindNotAccepted,
    EvidenceRootNotTrusted,
    EvidenceSignatureInvalid,
    EvidenceMeasurementNotTrusted,
    EvidenceUnverifiable,
    InclusionMissing,
    StatementNotInLog,
    CheckpointMissing,
    CheckpointSizeMismatch,
    CheckpointNotConsistent,
    CheckpointOtherChain,
    CheckpointNoteInvalid,
    CheckpointSignatureInvalid,
    CosignatureInvalid,
    WitnessQuorumMissed,
    AnchorMissing,
    ChainUnreachable,
    ChainIdMismatch,
    AnchorNotFound,
    AnchorMismatch,
    AnchorNotCanonical,
    AnchorNotFinal,
    KeyNotRegistered,
    KeyRevoked,
    KeyFaulty,
    InputMismatch,
    OutputMismatch,

    // Journals keep the numbers, so what is new comes last.
    EvidenceRevoked,
    EvidenceOutOfTime,
    EvidencePlatformNotAccepted,
    EvidenceNotFresh,
}

public static class VerificationReasons
{
    /// <summary>The reason as words joined by hyphens, for example <c>statement-signature-invalid</c>.</summary>
    public static string Text(this VerificationReason reason)
    {
        var name = reason.ToString();
        var text = new System.Text.StringBuilder(name.Length + 8);
        foreach (var letter in name)
        {
            if (char.IsUpper(letter) && text.Length > 0) text.Append('-');
            text.Append(char.ToLowerInvariant(letter));
        }

        return text.ToString();
    }
}
