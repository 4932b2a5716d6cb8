using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Attestation.Verification.Pki;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.SevSnp;

/// <summary>Judges attestation reports of AMD SEV-SNP: versions 2 to 5, of Milan, Genoa and Turin, by VCEK and VLEK.</summary>
public static class SevSnpVerifier
{
    /// <param name="evidence">A report: 1,184 bytes as the firmware wrote them; then, where there is one, the host's certificate table.</param>
    /// <param name="context">Names of the collateral: docs/attestation/sev-snp.md.</param>
    public static AttestationResult Verify(ReadOnlyMemory<byte> evidence, VerificationContext context) =>
        VerifierEntry.Verify(PlatformKind.SevSnp, context.Policy.SevSnp, evidence, SnpReport.Size + SnpCertificateTable.MostBytes, context, (policy, reasons, finding) =>
        {
            if (SnpReport.Read(evidence, reasons) is not { } report) return;
            finding.Identity = Hash256.Sha256(report.Signed);
            finding.Claims = Judge(report, policy, context, reasons);
        });

    // Null where the report's signature does not lead to a pinned root.
    private static AttestationClaims? Judge(SnpReport report, SevSnpPolicy policy, VerificationContext context, ReasonList reasons)
    {
        if (report.Signer is not (SnpSigner.Vcek or SnpSigner.Vlek)) reasons.Refuse(AttestationCheck.Key, "the report says that it is not signed");
        var collateral = SnpCollateral.Find(context.Collateral, report.HostTable, report.Signer, reasons);
        if (collateral is not { Leaf: { } leafDer, Intermediate: { } intermediateDer, Root: { } rootDer })
        {
            reasons.Miss(AttestationCheck.Collateral, $"not all of the {(report.Signer == SnpSigner.Vlek ? "VLEK, ASVK" : "VCEK, ASK")} and ARK certificates are there");
            return null;
        }

        var before = reasons.Failures;
        var rules = new PathRules { Keys = KeyRule.Rsa4096Pss, Roots = policy.Roots, Denied = context.Policy.Denied, MostCertificates = 3, LeafHasKeyUsage = false };
        var path = CertificatePath.Check([leafDer, intermediateDer, rootDer], context.At, rules, reasons);
        if (path is not [var leaf, var intermediate, var root]) return null;
        try
        {
            var isWhole = reasons.Failures == before;
            CheckRevocation(collateral, intermediate, root, policy, context, reasons);
            if (!IsSigned(report, leaf))
            {
                reasons.Refuse(AttestationCheck.Signature, "the leaf's key did not sign the report");
                return null;
            }

            if (SnpEndorsement.Read(leaf, reasons) is not { } endorsement) return null;
            SnpPlatformChecks.CheckAgreement(report, endorsement, intermediate, root, reasons);
            SnpPlatformChecks.CheckEndorsed(report, endorsement, reasons);
            SnpPlatformChecks.CheckPolicy(report, endorsement, policy, reasons);
            SnpGuestChecks.Check(report, policy, context, reasons);
            return isWhole ? Claims(report, endorsement) : null;
        }
        finally
        {
            foreach (var certificate in path) certificate.Dispose();
        }
    }

    // AMD's list is the root's, and names intermediates. Leaves all have the serial number 0.
    private static void CheckRevocation(
        SnpCollateral collateral, X509Certificate2 intermediate, X509Certificate2 root, SevSnpPolicy policy, VerificationContext context, ReasonList reasons)
    {
        if (collateral.RevocationList is not { } der)
        {
            if (policy.RequireRevocationList) reasons.Miss(AttestationCheck.Revocation, "the root's revocation list is not there");
            return;
        }

        if (RevocationList.Read(der, "crl", reasons) is not { } list) return;
        list.Check(root, context.At, "crl", reasons, context.History);
        if (list.Lists(intermediate)) reasons.Refuse(AttestationCheck.Revoked, "the leaf's issuer is revoked");
    }

    private static bool IsSigned(SnpReport report, X509Certificate2 leaf)
    {
        using var key = leaf.GetECDsaPublicKey();
        return key is { KeySize: 384 } && key.VerifyData(report.Signed, report.Signature(), HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private static AttestationClaims Claims(SnpReport report, SnpEndorsement leaf) => new()
    {
        Kind = "sev-snp", Product = leaf.Product.ToString(), IsDebug = report.Policy.AllowsDebug, ReportData = report.ReportData.ToArray(),
        Tcb = SnpTcb.Read(leaf.Product, report.ReportedTcb).ToString(), Chip = SnpPlatformChecks.ChipOf(report, leaf),
        Measurements = new Dictionary<string, string>
        {
            ["measurement"] = Convert.ToHexStringLower(report.Measurement),
            ["host_data"] = Convert.ToHexStringLower(report.HostData),
            ["id_key_digest"] = Convert.ToHexStringLower(report.IdKeyDigest),
            ["author_key_digest"] = Convert.ToHexStringLower(report.AuthorKeyDigest),
        },
    };
}
