using System.Security.Cryptography;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>Judges Intel TDX quotes (versions 4 and 5) with Intel's collateral. Stateless; docs/attestation/tdx.md names every check.</summary>
public static class TdxVerifier
{
    /// <param name="evidence">The quote, with no more than zeros behind it and, behind those, the event log of the project's attester.</param>
    /// <param name="context">Collateral as docs/attestation/tdx.md names it; without it the best answer is <see cref="AttestationStatus.Unverifiable"/>.</param>
    public static AttestationResult Verify(ReadOnlyMemory<byte> evidence, VerificationContext context) =>
        VerifierEntry.Verify(PlatformKind.Tdx, context.Policy.Tdx, evidence, TdxQuote.LargestEvidence, context, (policy, reasons, finding) =>
        {
            if (TdxQuote.Read(evidence, reasons) is not { } quote) return;
            finding.Identity = Hash256.Sha256(quote.Signed.Span);
            finding.Claims = Judge(quote, context, policy, reasons);
        });

    private static AttestationClaims? Judge(TdxQuote quote, VerificationContext context, TdxPolicy policy, ReasonList reasons)
    {
        if (!OwnSignaturesHold(quote, reasons)) return null;
        using var chain = PckChain.Read(quote, context, policy, reasons);
        if (chain is null) return null;
        if (!P256Signature.Holds(chain.Leaf, quote.QeReport.Bytes, quote.QeSignature)) reasons.Refuse(AttestationCheck.Signature, "the PCK did not sign the quoting enclave's report");
        var isVouched = !reasons.All.Any(reason => reason.Check is AttestationCheck.Signature or AttestationCheck.Chain or AttestationCheck.Root);
        var tcb = JudgePlatform(quote, chain, context, policy, reasons);
        new TdxGuestCheck(quote, chain.Platform, context, policy, reasons).Run();
        return isVouched ? Claims(quote.Body, chain.Platform, tcb) : null;
    }

    // The quote under the attestation key, and that key under the quoting enclave's report. Without both there is nothing to judge.
    private static bool OwnSignaturesHold(TdxQuote quote, ReasonList reasons)
    {
        var before = reasons.Failures;
        if (!P256Signature.Holds(quote.AttestationKey, quote.Signed, quote.Signature)) reasons.Refuse(AttestationCheck.Signature, "the attestation key did not sign the quote");
        Span<byte> bound = stackalloc byte[64];
        bound.Clear();
        SHA256.HashData([.. quote.AttestationKey.Span, .. quote.QeAuthentication.Span], bound);
        if (!quote.QeReport.ReportData.Span.SequenceEqual(bound)) reasons.Refuse(AttestationCheck.Key, "the quoting enclave's report does not bind the attestation key");
        return reasons.Failures == before;
    }

    private static TcbVerdict? JudgePlatform(TdxQuote quote, PckChain chain, VerificationContext context, TdxPolicy policy, ReasonList reasons)
    {
        if (TdxCollateral.Read(context.Collateral, reasons) is not { } collateral) return null;
        var (info, enclave) = new TdxCollateralCheck(collateral, chain, context, policy, reasons).Run();
        return info is null || enclave is null ? null : new TdxTcbCheck(quote, chain.Platform, info, enclave, policy, reasons).Run();
    }

    private static AttestationClaims Claims(TdxBody body, PckExtension platform, TcbVerdict? tcb) => new()
    {
        Kind = "tdx", Product = body.Product, Measurements = body.Measurements(), IsDebug = (body.Attributes & TdxGuestCheck.DebugBit) != 0,
        Tcb = tcb?.Status.ToString(), Advisories = tcb?.Advisories ?? [], ReportData = body.ReportData.ToArray(), Chip = Convert.ToHexStringLower(platform.Ppid.Span),
    };
}
