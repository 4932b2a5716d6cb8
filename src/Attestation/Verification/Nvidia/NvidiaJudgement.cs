using System.Buffers;
using System.Text;

namespace OpenGradient.Engine.Attestation.Verification.Nvidia;

/// <summary>What a policy and a context say of a report whose signature holds.</summary>
internal static class NvidiaJudgement
{
    // Types of opaque fields, from NVIDIA/nvtrust (local_gpu_verifier, spdm_msrt_resp_msg).
    private const int DriverField = 3, FirmwareField = 6, FirmwareIdField = 20;

    private static readonly SearchValues<byte> VersionLetters = SearchValues.Create("0123456789."u8);

    public static void Check(SpdmReport report, DeviceCertificate device, NvidiaPolicy policy, VerificationContext context, ReasonList reasons)
    {
        if (!policy.Products.Contains(device.Product, StringComparer.Ordinal)) reasons.Refuse(AttestationCheck.Platform, $"a device of type {device.Product}, which the policy does not name");
        CheckFirmwareId(report, device, reasons);
        CheckVersion("driver", Driver(report), policy.Drivers, reasons);
        CheckVersion("firmware", Firmware(report), policy.Firmware, reasons);
        foreach (var (index, values) in policy.Measurements)
        {
            var found = report.Blocks.TryGetValue(index, out var digest) ? Convert.ToHexStringLower(digest.Span) : "missing";
            if (!values.Contains(found, StringComparer.Ordinal)) reasons.Refuse(AttestationCheck.Measurement, $"block {index} is {found}, which the policy does not name");
        }

        // The requester's nonce is all that a report binds.
        if (context.Nonce is { } nonce && !report.Nonce.Span.SequenceEqual(nonce.Span)) reasons.Refuse(AttestationCheck.Nonce, "the nonce is not the one that was asked for");
        if (context.ReportData is { } data && !report.Nonce.Span.SequenceEqual(data.Span)) reasons.Refuse(AttestationCheck.ReportData, "the nonce is not the report data that was expected");
    }

    /// <summary>The driver's version; null where the report has none that can be shown.</summary>
    public static string? Driver(SpdmReport report)
    {
        if (!report.Opaque.TryGetValue(DriverField, out var field)) return null;
        var text = field.Span.TrimEnd((byte)0);
        return text.Length is > 0 and <= 32 && !text.ContainsAnyExcept(VersionLetters) ? Encoding.ASCII.GetString(text) : null;
    }

    public static string? Firmware(SpdmReport report) => report.Opaque.TryGetValue(FirmwareField, out var field) ? Convert.ToHexStringLower(field.Span) : null;

    // The key in the certificate belongs to the firmware that the certificate names; older drivers do not repeat it in the report.
    private static void CheckFirmwareId(SpdmReport report, DeviceCertificate device, ReasonList reasons)
    {
        if (!report.Opaque.TryGetValue(FirmwareIdField, out var reported)) return;
        if (device.Firmware is not { } certified || !certified.Span.SequenceEqual(reported.Span))
            reasons.Refuse(AttestationCheck.Key, "the report's firmware identity is not the certificate's");
    }

    private static void CheckVersion(string what, string? found, IReadOnlyList<string> allowed, ReasonList reasons)
    {
        if (allowed.Count > 0 && (found is null || !allowed.Contains(found, StringComparer.Ordinal)))
            reasons.Refuse(AttestationCheck.Tcb, $"{what} {found ?? "without a version"}, which the policy does not name");
    }
}
