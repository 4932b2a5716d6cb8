namespace OpenGradient.Engine.Attestation.Verification.SevSnp;

/// <summary>Whether the policy and the caller accept the guest that a report describes.</summary>
internal static class SnpGuestChecks
{
    public static void Check(SnpReport report, SevSnpPolicy policy, VerificationContext context, ReasonList reasons)
    {
        CheckLaunch(report, policy, reasons);
        CheckMeasured(report, policy, reasons);
        CheckBinding(report, context, reasons);
    }

    private static void CheckLaunch(SnpReport report, SevSnpPolicy policy, ReasonList reasons)
    {
        if (report.Policy.AllowsDebug && !policy.AllowDebug) reasons.Refuse(AttestationCheck.Debug, "the host may debug the guest");
        if (report.Policy.AllowsMigration && !policy.AllowMigration) reasons.Refuse(AttestationCheck.Guest, "the guest may be moved to another machine");
        if (report.Policy.AllowsSmt && !policy.AllowSmt) reasons.Refuse(AttestationCheck.Guest, "the guest may run with simultaneous multithreading");
        if (report.Vmpl > int.MaxValue || !policy.Vmpl.Contains((int)report.Vmpl))
            reasons.Refuse(AttestationCheck.Guest, $"asked for at privilege level {report.Vmpl}, not {string.Join(" or ", policy.Vmpl)}");
        if (report.GuestSvn < policy.MinimumGuestSvn) reasons.Refuse(AttestationCheck.Guest, $"guest version {report.GuestSvn}; at least {policy.MinimumGuestSvn} is asked for");
    }

    private static void CheckMeasured(SnpReport report, SevSnpPolicy policy, ReasonList reasons)
    {
        if (!report.Measurement.ContainsAnyExcept((byte)0)) reasons.Refuse(AttestationCheck.Measurement, "the measurement is all zeros");
        else if (policy.Measurements.Count > 0 && !Names(policy.Measurements, report.Measurement)) reasons.Refuse(AttestationCheck.Measurement, "the policy does not name the measurement");
        else if (policy.Measurements.Count == 0 && !policy.AnyMeasurement) reasons.Miss(AttestationCheck.Measurement, "the policy names no measurement");
        if (policy.HostData.Count > 0 && !Names(policy.HostData, report.HostData)) reasons.Refuse(AttestationCheck.Measurement, "the policy does not name the host data");
        if (policy.IdKeys.Count > 0 && !Names(policy.IdKeys, report.IdKeyDigest)) reasons.Refuse(AttestationCheck.Measurement, "the policy does not name the key that signed the guest's identity");
    }

    // A report has no field for a nonce. Report data that the caller expects holds it already; alone, it must be the report data.
    private static void CheckBinding(SnpReport report, VerificationContext context, ReasonList reasons)
    {
        if (context.ReportData is { } expected)
        {
            if (!report.ReportData.SequenceEqual(expected.Span)) reasons.Refuse(AttestationCheck.ReportData, "binds other report data");
            return;
        }

        if (context.Nonce is not { } nonce) return;
        var isNonce = nonce.Length is > 0 and <= 64 && report.ReportData.StartsWith(nonce.Span) && !report.ReportData[nonce.Length..].ContainsAnyExcept((byte)0);
        if (!isNonce) reasons.Refuse(AttestationCheck.Nonce, "the report data is not the nonce");
    }

    private static bool Names(IReadOnlyList<string> accepted, ReadOnlySpan<byte> value) => accepted.Contains(Convert.ToHexStringLower(value));
}
