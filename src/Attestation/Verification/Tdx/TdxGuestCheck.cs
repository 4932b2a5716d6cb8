namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>Holds the guest against the policy and the caller's expectations.</summary>
internal sealed class TdxGuestCheck(TdxQuote quote, PckExtension platform, VerificationContext context, TdxPolicy policy, ReasonList reasons)
{
    /// <summary>The operator can read the guest's memory.</summary>
    public const ulong DebugBit = 1;

    private const ulong SeptVeDisable = 1UL << 28, Migratable = 1UL << 29, ProtectionKeys = 1UL << 30, KeyLocker = 1UL << 31, Perfmon = 1UL << 63;
    private const ulong Known = DebugBit | SeptVeDisable | Migratable | ProtectionKeys | KeyLocker | Perfmon;

    private TdxBody Body => quote.Body;

    public void Run()
    {
        CheckAttributes();
        CheckMeasurements();
        CheckBinding();
        TdxFeatures.Check(Body.Features, reasons);
        TdxEventLog.Check(quote, context, policy, reasons);
        PckPlatform.Check(platform, policy, reasons);
    }

    private void CheckAttributes()
    {
        var attributes = Body.Attributes;
        if ((attributes & DebugBit) != 0 && !policy.Debug) reasons.Refuse(AttestationCheck.Debug, "a debug guest");
        if ((attributes & ~Known) != 0) reasons.Refuse(AttestationCheck.Reserved, $"unknown TD attributes 0x{attributes & ~Known:x}");
        if ((attributes & SeptVeDisable) == 0 && policy.SeptVeDisable) reasons.Refuse(AttestationCheck.Guest, "SEPT_VE_DISABLE is not set");
        Forbid(Migratable, policy.Migratable, "the guest can be migrated");
        Forbid(ProtectionKeys, policy.ProtectionKeys, "the guest may use protection keys");
        Forbid(KeyLocker, policy.KeyLocker, "the guest may use key locker");
        Forbid(Perfmon, policy.Perfmon, "the guest may use performance counters");
        if (!policy.Migratable && Body.MrServiceTd is { } service && service.Span.ContainsAnyExcept((byte)0))
            reasons.Refuse(AttestationCheck.Guest, "a service TD is bound to the guest");

        void Forbid(ulong bit, bool isAllowed, string detail)
        {
            if ((attributes & bit) != 0 && !isAllowed) reasons.Refuse(AttestationCheck.Guest, detail);
        }
    }

    private void CheckMeasurements()
    {
        if (!Body.MrTd.Span.ContainsAnyExcept((byte)0)) reasons.Refuse(AttestationCheck.Measurement, "MRTD is zero");
        var found = Body.Measurements();
        if (!policy.AnyMeasurement && !policy.MrTd.Contains(found["mrtd"])) reasons.Refuse(AttestationCheck.Measurement, $"the policy does not name MRTD {found["mrtd"]}");
        Named("rtmr0", policy.Rtmr0);
        Named("rtmr1", policy.Rtmr1);
        Named("rtmr2", policy.Rtmr2);
        Named("rtmr3", policy.Rtmr3);
        Named("mrseam", policy.MrSeam);
        Named("mrconfigid", policy.MrConfigId);
        Named("mrowner", policy.MrOwner);
        Named("mrownerconfig", policy.MrOwnerConfig);
        Named("xfam", policy.Xfam);

        void Named(string name, IReadOnlyList<string> values)
        {
            if (values.Count > 0 && !values.Contains(found[name])) reasons.Refuse(AttestationCheck.Measurement, $"the policy does not name {name} {found[name]}");
        }
    }

    // Report data is 64 bytes that the guest chose. A nonce stands in front of zeros; where more is bound, the caller knows all of it.
    private void CheckBinding()
    {
        var data = Body.ReportData.Span;
        if (context.ReportData is { } expected && !data.SequenceEqual(expected.Span)) reasons.Refuse(AttestationCheck.ReportData, "not the expected report data");
        if (context.Nonce is not { } nonce) return;
        var isNonce = nonce.Length > 0 && data.StartsWith(nonce.Span) && !data[nonce.Length..].ContainsAnyExcept((byte)0);
        if (!isNonce) reasons.Refuse(AttestationCheck.Nonce, "the report data is not the nonce");
    }
}
