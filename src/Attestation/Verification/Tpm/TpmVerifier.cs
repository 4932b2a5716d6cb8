using System.Security.Cryptography;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.Tpm;

/// <summary>Judges quotes of TPM 2.0 (docs/attestation/tpm.md). Stateless.</summary>
public static class TpmVerifier
{
    // Report data is a SHA-256 and 32 zero bytes; a TPM's qualifying data has room for the former only.
    private const int ReportDataSize = 64, BoundSize = 32;

    public static AttestationResult Verify(ReadOnlyMemory<byte> evidence, VerificationContext context) =>
        VerifierEntry.Verify(PlatformKind.Tpm, context.Policy.Tpm, evidence, TpmEvidence.LargestSize, context, (policy, reasons, finding) =>
        {
            if (Open(evidence, reasons) is not { } envelope) return;
            finding.Identity = Hash256.Sha256(envelope.Quote.Span);
            finding.Claims = Judge(envelope, context, policy, reasons);
        });

    private static AttestationClaims? Judge(TpmEvidence envelope, VerificationContext context, TpmPolicy policy, ReasonList reasons)
    {
        var quote = TpmQuote.Read(envelope.Quote.Span, reasons);
        var key = TpmKey.Read(envelope, reasons);
        var signature = TpmSignature.Read(envelope.Signature.Span, reasons);
        if (quote is null || key is null || signature is null) return null;
        if (!signature.Holds(key, envelope.Quote.Span))
        {
            reasons.Refuse(AttestationCheck.Signature, "the attestation key did not sign this quote with its scheme");
            return null;
        }

        key.CheckAttributes(reasons);
        CheckKey(envelope, quote, key, context, policy, reasons);
        CheckData(quote, context, policy, reasons);
        var values = TpmRegisters.Read(envelope, quote, signature.Hash, policy, reasons);
        if (values is not null)
        {
            TpmRegisters.CheckValues(values, policy, reasons);
            TpmRegisters.CheckLog(envelope.EventLog.Span, values, policy, reasons);
        }

        CheckPlatform(quote, policy, reasons);
        var boot = TpmBoots.Claim(quote, key.Name, context);
        TpmBoots.Check(quote, key.Name, context, reasons);
        return Claims(quote, key, values, boot);
    }

    private static TpmEvidence? Open(ReadOnlyMemory<byte> evidence, ReasonList reasons)
    {
        try
        {
            return TpmEvidence.Decode(evidence.Span);
        }
        catch (FormatException error)
        {
            reasons.Refuse(AttestationCheck.Encoding, error.Message);
            return null;
        }
    }

    private static void CheckKey(TpmEvidence envelope, TpmQuote quote, TpmKey key, VerificationContext context, TpmPolicy policy, ReasonList reasons)
    {
        if (key.Name is not { } name)
        {
            CheckListed(Convert.ToHexStringLower(SHA256.HashData(envelope.Key.Span)), policy.VouchedKeys, "vouched for", reasons);
            return;
        }

        CheckListed(Convert.ToHexStringLower(name), policy.Keys, "known", reasons);
        var endorsement = TpmEndorsement.Check(envelope, context, policy, reasons);
        if (!TpmEndorsement.Descends(name, quote.QualifiedSigner.Span, endorsement))
            reasons.Refuse(AttestationCheck.Key, "the qualified signer is neither a primary key of the endorsement hierarchy nor a child of the endorsement key");
    }

    private static void CheckListed(string key, IReadOnlyList<string> listed, string word, ReasonList reasons)
    {
        if (listed.Count == 0) reasons.Miss(AttestationCheck.Key, $"the policy names no attestation key that is {word}");
        else if (!listed.Contains(key)) reasons.Refuse(AttestationCheck.Key, $"the attestation key {key} is not {word}");
    }

    // One field binds both; where both are asked for they have to be the same bytes.
    private static void CheckData(TpmQuote quote, VerificationContext context, TpmPolicy policy, ReasonList reasons)
    {
        var data = quote.ExtraData.Span;
        if (context.Nonce is { } nonce)
        {
            if (nonce.IsEmpty || !CryptographicOperations.FixedTimeEquals(nonce.Span, data)) reasons.Refuse(AttestationCheck.Nonce, "another nonce than the one that was asked for");
        }
        else if (policy.RequireNonce) reasons.Miss(AttestationCheck.Nonce, "a quote states no time: without a nonce its age cannot be known");

        if (context.ReportData is { } bound && !data.SequenceEqual(Bound(bound.Span))) reasons.Refuse(AttestationCheck.ReportData, "other qualifying data than expected");
    }

    private static ReadOnlySpan<byte> Bound(ReadOnlySpan<byte> reportData) =>
        reportData.Length == ReportDataSize && reportData[BoundSize..].IndexOfAnyExcept((byte)0) < 0 ? reportData[..BoundSize] : reportData;

    private static void CheckPlatform(TpmQuote quote, TpmPolicy policy, ReasonList reasons)
    {
        if (policy.Firmware.Count > 0 && !policy.Firmware.Contains($"{quote.Firmware:x16}")) reasons.Refuse(AttestationCheck.Tcb, $"firmware {quote.Firmware:x16}");
        if (quote.ResetCount < policy.MinimumResetCount) reasons.Refuse(AttestationCheck.Time, $"{quote.ResetCount} resets; {policy.MinimumResetCount} were seen before");
    }

    private static AttestationClaims Claims(TpmQuote quote, TpmKey key, SortedDictionary<int, byte[]>? values, BootClaim boot) => new()
    {
        Kind = "tpm", Product = "TPM 2.0", Boot = boot,
        Measurements = values?.ToDictionary(entry => $"pcr{entry.Key}", entry => Convert.ToHexStringLower(entry.Value)) ?? [],
        Tcb = $"firmware {quote.Firmware:x16}",
        ReportData = quote.ExtraData, Nonce = quote.ExtraData, Chip = key.Name is { } name ? Convert.ToHexStringLower(name) : null,
    };
}
