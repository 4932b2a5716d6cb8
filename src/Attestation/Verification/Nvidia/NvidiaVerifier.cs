using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Attestation.Verification.Nvidia.Manifests;
using OpenGradient.Engine.Attestation.Verification.Pki;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.Nvidia;

/// <summary>
/// Judges reports of NVIDIA devices. A report proves a genuine device that answered a nonce, not that the device is attached to the guest
/// that asks: the nonce has to be derived from the guest's own evidence.
/// </summary>
public static class NvidiaVerifier
{
    /// <summary>Collateral: the device's certificates in PEM, from the leaf to the root.</summary>
    public const string ChainName = "chain.pem";

    /// <summary>Collateral: the vendor's signed reference manifests of the driver and of the firmware. OCSP answers are files whose names begin with "ocsp".</summary>
    public const string DriverManifestName = "driver.xml", FirmwareManifestName = "firmware.xml";

    /// <param name="evidence">The SPDM request and the response to it.</param>
    /// <param name="context">The time, the policy, the nonce and the device's certificates.</param>
    /// <returns>Never throws for what evidence or collateral hold.</returns>
    public static AttestationResult Verify(ReadOnlyMemory<byte> evidence, VerificationContext context) =>
        VerifierEntry.Verify(PlatformKind.Nvidia, context.Policy.Nvidia, evidence, SpdmReport.LargestReport, context, (policy, reasons, finding) =>
        {
            if (SpdmReport.Read(evidence, reasons) is not { } report) return;
            finding.Identity = Hash256.Sha256(report.Signed.Span);
            if (!context.Collateral.TryGetValue(ChainName, out var pem)) reasons.Miss(AttestationCheck.Collateral, $"{ChainName} is missing");
            else if (PemChain.Read(pem, ChainName, reasons) is { } chain) finding.Claims = Judge(report, chain, policy, context, reasons);
        });

    private static AttestationClaims? Judge(
        SpdmReport report, IReadOnlyList<ReadOnlyMemory<byte>> chain, NvidiaPolicy policy, VerificationContext context, ReasonList reasons)
    {
        // What cannot be read is refused before any signature is asked for.
        var collateral = new NvidiaCollateral(context, reasons);
        var before = reasons.Count;
        var rules = new PathRules { Keys = KeyRule.P384, Roots = policy.Roots, Denied = context.Policy.Denied, MostCertificates = PemChain.MostCertificates };
        if (CertificatePath.Check(chain, context.At, rules, reasons) is not { } path) return null;
        try
        {
            if (!IsSigned(report, path[0])) reasons.Refuse(AttestationCheck.Signature, "the signature does not hold under the device's certificate");
            if (DeviceCertificate.Read(path[0]) is not { } device)
            {
                reasons.Refuse(AttestationCheck.Platform, "the certificate names no device of this vendor");
                return null;
            }

            var claims = reasons.Count == before ? Claims(report, device) : null;
            NvidiaJudgement.Check(report, device, policy, context, reasons);
            // What vouches for a device says nothing of a report that is not that device's.
            if (claims is not null) CheckVendor(report, device, path, collateral, policy, context, reasons);
            return claims;
        }
        finally
        {
            foreach (var certificate in path) certificate.Dispose();
        }
    }

    private static void CheckVendor(
        SpdmReport report, DeviceCertificate device, X509Certificate2[] path, NvidiaCollateral collateral, NvidiaPolicy policy, VerificationContext context, ReasonList reasons)
    {
        new ManifestCheck(policy, context, collateral, reasons).Run(report, device);
        // The leaf is issued by the device itself, at every start.
        collateral.Answers.Check(path, 1, ChainName, policy.OcspRules(policy.Roots), reasons);
    }

    private static bool IsSigned(SpdmReport report, X509Certificate2 leaf)
    {
        using var key = leaf.GetECDsaPublicKey();
        return key is { KeySize: 384 }
            && key.VerifyData(report.Signed.Span, report.Signature.Span, HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    private static AttestationClaims Claims(SpdmReport report, DeviceCertificate device) => new()
    {
        Kind = "nvidia", Product = device.Product, Chip = device.Serial, Nonce = report.Nonce, ReportData = report.Nonce,
        Measurements = report.Blocks.ToDictionary(block => $"block{block.Key}", block => Convert.ToHexStringLower(block.Value.Span)),
        Tcb = $"driver {NvidiaJudgement.Driver(report) ?? "unknown"}, firmware {NvidiaJudgement.Firmware(report) ?? "unknown"}",
    };
}
