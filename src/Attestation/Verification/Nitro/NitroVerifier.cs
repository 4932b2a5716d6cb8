using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Attestation.Verification.Pki;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.Nitro;

/// <summary>Judges attestation documents of AWS Nitro enclaves. Needs no collateral: the document carries its certificates.</summary>
public static class NitroVerifier
{
    /// <summary>The NSM answers with at most 12 KiB; AWS names 16 KiB as the format's bound.</summary>
    public const int LargestEvidence = 16 * 1024;

    /// <param name="evidence">A COSE_Sign1 structure as the NSM returns it.</param>
    /// <param name="context">The time, the policy and what must be bound. <see cref="VerificationContext.ReportData"/> is compared with user_data.</param>
    /// <returns>Never throws for what the evidence holds.</returns>
    public static AttestationResult Verify(ReadOnlyMemory<byte> evidence, VerificationContext context) =>
        VerifierEntry.Verify(PlatformKind.Nitro, context.Policy.Nitro, evidence, LargestEvidence, context, (policy, reasons, finding) =>
        {
            if (NitroEnvelope.Read(evidence, reasons) is not { } envelope) return;
            finding.Identity = Hash256.Sha256(envelope.Signed);
            if (NitroDocument.Read(envelope.Payload, reasons) is { } document) finding.Claims = Judge(envelope, document, policy, context, reasons);
        });

    private static AttestationClaims? Judge(NitroEnvelope envelope, NitroDocument document, NitroPolicy policy, VerificationContext context, ReasonList reasons)
    {
        // The bundle is ordered from the root; a path is ordered from the leaf.
        ReadOnlyMemory<byte>[] leafToRoot = [document.Certificate, .. document.Bundle.Reverse()];
        var rules = new PathRules { Keys = KeyRule.P384, Roots = policy.Roots, Denied = context.Policy.Denied, MostCertificates = 1 + NitroDocument.MostBundle };
        if (CertificatePath.Check(leafToRoot, context.At, rules, reasons) is not { } path) return null;
        try
        {
            if (!IsSigned(envelope, path[0])) reasons.Refuse(AttestationCheck.Signature, "the signature does not hold under the document's certificate");
            // Content that no pinned root vouches for is not a claim, whoever signed it.
            var claims = reasons.IsEmpty ? Claims(document) : null;
            NitroJudgement.Check(document, path[0], policy, context, reasons);
            return claims;
        }
        finally
        {
            foreach (var certificate in path) certificate.Dispose();
        }
    }

    // Both values of s are accepted: nine of seventeen real documents have the high one, and the identity is over the signed bytes.
    private static bool IsSigned(NitroEnvelope envelope, X509Certificate2 leaf)
    {
        using var key = leaf.GetECDsaPublicKey();
        return key is { KeySize: 384 }
            && key.VerifyData(envelope.Signed, envelope.Signature.Span, HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private static AttestationClaims Claims(NitroDocument document)
    {
        var fields = document.Pcrs.ToDictionary(pcr => $"pcr{pcr.Key}", pcr => Convert.ToHexStringLower(pcr.Value.Span));
        return new AttestationClaims
        {
            Kind = "nitro", Product = "Nitro Enclaves", Measurements = fields, IsDebug = NitroJudgement.IsDebug(document), Time = document.Timestamp,
            ReportData = document.UserData ?? default, Nonce = document.Nonce ?? default, PublicKey = document.PublicKey ?? default, Chip = document.ModuleId,
        };
    }
}
