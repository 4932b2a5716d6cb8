using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.Nitro;

/// <summary>What a policy and a context say of a document whose signature holds.</summary>
internal static class NitroJudgement
{
    // Image, kernel and application: what every enclave measures, and what is zero in debug mode.
    private static ReadOnlySpan<int> ImagePcrs => [0, 1, 2];

    public static void Check(NitroDocument document, X509Certificate2 leaf, NitroPolicy policy, VerificationContext context, ReasonList reasons)
    {
        CheckTime(document.Timestamp, leaf, policy, context.At, reasons);
        CheckDebug(document, policy, reasons);
        CheckPcrs(document, policy, reasons);
        if (context.Nonce is { } nonce && !Same(document.Nonce, nonce)) reasons.Refuse(AttestationCheck.Nonce, "the nonce is not the one that was asked for");
        if (context.ReportData is { } data && !Same(document.UserData, data)) reasons.Refuse(AttestationCheck.ReportData, "user_data is not what was expected");
    }

    /// <summary>True where one of the image's PCRs is there and zero.</summary>
    public static bool IsDebug(NitroDocument document)
    {
        foreach (var index in ImagePcrs)
            if (document.Pcrs.TryGetValue(index, out var pcr) && IsZero(pcr)) return true;
        return false;
    }

    private static void CheckTime(DateTimeOffset made, X509Certificate2 leaf, NitroPolicy policy, DateTimeOffset at, ReasonList reasons)
    {
        if (made < leaf.NotBefore.ToUniversalTime() || made > leaf.NotAfter.ToUniversalTime())
            reasons.Refuse(AttestationCheck.Time, $"made at {made:O}, outside its certificate's validity");
        if (made - at > policy.MaximumSkew) reasons.Refuse(AttestationCheck.Time, $"made at {made:O}, after the asked time");
        if (at - made > policy.MaximumAge) reasons.Refuse(AttestationCheck.Time, $"made at {made:O}, more than {policy.MaximumAge.TotalSeconds:0} s before the asked time");
    }

    private static void CheckDebug(NitroDocument document, NitroPolicy policy, ReasonList reasons)
    {
        foreach (var index in ImagePcrs)
        {
            if (!document.Pcrs.TryGetValue(index, out var pcr)) reasons.Refuse(AttestationCheck.Measurement, $"PCR {index} is missing");
            else if (IsZero(pcr) && !policy.AllowDebug) reasons.Refuse(AttestationCheck.Debug, $"PCR {index} is zero: a debug enclave");
        }
    }

    private static void CheckPcrs(NitroDocument document, NitroPolicy policy, ReasonList reasons)
    {
        foreach (var (index, values) in policy.Pcrs)
        {
            if (values.Count == 0) continue;
            var found = document.Pcrs.TryGetValue(index, out var pcr) ? Convert.ToHexStringLower(pcr.Span) : "missing";
            if (!values.Contains(found, StringComparer.Ordinal)) reasons.Refuse(AttestationCheck.Measurement, $"PCR {index} is {found}, which the policy does not name");
            else if (IsZero(pcr) && !ImagePcrs.Contains(index)) reasons.Refuse(AttestationCheck.Measurement, $"PCR {index} is zero: nothing was measured");
        }

        if (!policy.RequireMeasurements) return;
        foreach (var index in ImagePcrs)
            if (!policy.Pcrs.TryGetValue(index, out var values) || values.Count == 0)
                reasons.Miss(AttestationCheck.Measurement, $"the policy names no value of PCR {index}");
    }

    private static bool Same(ReadOnlyMemory<byte>? found, ReadOnlyMemory<byte> expected) => found is { } bytes && bytes.Span.SequenceEqual(expected.Span);

    private static bool IsZero(ReadOnlyMemory<byte> pcr) => !pcr.Span.ContainsAnyExcept((byte)0);
}
