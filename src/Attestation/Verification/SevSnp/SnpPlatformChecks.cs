using System.Security.Cryptography.X509Certificates;

namespace OpenGradient.Engine.Attestation.Verification.SevSnp;

/// <summary>Whether report, leaf, intermediate and root speak of one platform, and whether the policy accepts that platform.</summary>
internal static class SnpPlatformChecks
{
    /// <summary>Names: the signer that the report claims, the leaf, its issuer and the root.</summary>
    public static void CheckAgreement(SnpReport report, SnpEndorsement leaf, X509Certificate2 intermediate, X509Certificate2 root, ReasonList reasons)
    {
        if (report.Signer != leaf.Key) reasons.Refuse(AttestationCheck.Key, $"the report says that a {report.Signer} signed it, the leaf is a {leaf.Key}");
        var product = SnpProductName.OfRoot(NameOf(root));
        if (product != leaf.Product) reasons.Refuse(AttestationCheck.Platform, $"the leaf is for {leaf.Product}, the root for {product?.ToString() ?? "another product"}");
        var issuer = leaf.Key == SnpSigner.Vlek ? $"SEV-VLEK-{leaf.Product}" : $"SEV-{leaf.Product}";
        if (NameOf(intermediate) != issuer) reasons.Refuse(AttestationCheck.Key, $"the leaf's issuer is not {issuer}");
        if (report.Processor is not { } processor) return;
        if (SnpProductName.OfProcessor(processor.Family, processor.Model) != leaf.Product)
            reasons.Refuse(AttestationCheck.Platform, $"the report's processor is family {processor.Family:x2}, model {processor.Model:x2}, the leaf is for {leaf.Product}");
    }

    /// <summary>The firmware versions and the chip that the leaf was issued for.</summary>
    public static void CheckEndorsed(SnpReport report, SnpEndorsement leaf, ReasonList reasons)
    {
        var reported = SnpTcb.Read(leaf.Product, report.ReportedTcb);
        if (reported != leaf.Tcb) reasons.Refuse(AttestationCheck.Tcb, $"reported {reported}; the leaf is for {leaf.Tcb}");
        if (!SnpTcb.HasCleanReserve(leaf.Product, report.ReportedTcb)) reasons.Refuse(AttestationCheck.Reserved, "the reported firmware versions have unknown components");
        if (leaf.Key == SnpSigner.Vlek || report.ChipId.SequenceEqual(leaf.Chip)) return;
        var isHidden = report.IsChipMasked && !report.ChipId.ContainsAnyExcept((byte)0);
        if (!isHidden) reasons.Refuse(AttestationCheck.Platform, "the report's chip is not the leaf's");
    }

    public static void CheckPolicy(SnpReport report, SnpEndorsement leaf, SevSnpPolicy policy, ReasonList reasons)
    {
        if (!policy.Products.Contains(leaf.Product)) reasons.Refuse(AttestationCheck.Platform, $"{leaf.Product} is not accepted");
        if (leaf.Key == SnpSigner.Vlek && !policy.AllowVlek) reasons.Refuse(AttestationCheck.Key, "signed with a provider's key");
        if (leaf.Provider is { } provider && policy.Providers.Count > 0 && !policy.Providers.Contains(provider)) reasons.Refuse(AttestationCheck.Key, "signed with the key of a provider that is not accepted");
        var chip = ChipOf(report, leaf);
        if (policy.Chips.Count > 0 && (chip is null || !policy.Chips.Contains(chip))) reasons.Refuse(AttestationCheck.Platform, "the chip is not accepted");
        if (chip is not null && policy.DeniedChips.Contains(chip)) reasons.Refuse(AttestationCheck.Revoked, "the chip is denied");
        if (policy.RequireAliasCheck && !report.IsAliasCheckComplete) reasons.Refuse(AttestationCheck.Platform, "the platform has not checked its memory for aliases");
        CheckMinimum(report, leaf.Product, policy, reasons);
    }

    /// <summary>The chip by the leaf; for a provider's key, by the report; null where neither says.</summary>
    public static string? ChipOf(SnpReport report, SnpEndorsement leaf)
    {
        var chip = leaf.Key == SnpSigner.Vcek ? leaf.Chip : report.ChipId;
        return chip.ContainsAnyExcept((byte)0) ? Convert.ToHexStringLower(chip) : null;
    }

    // The host chooses what is reported, up to what is committed; what ran at launch may have been older than both.
    private static void CheckMinimum(SnpReport report, SnpProduct product, SevSnpPolicy policy, ReasonList reasons)
    {
        if (!policy.MinimumTcb.TryGetValue(product, out var least)) return;
        Check("reported", report.ReportedTcb);
        Check("committed", report.CommittedTcb);
        Check("launch", report.LaunchTcb);

        void Check(string which, ReadOnlySpan<byte> bytes)
        {
            var tcb = SnpTcb.Read(product, bytes);
            if (!tcb.IsAtLeast(least)) reasons.Refuse(AttestationCheck.Tcb, $"{which} {tcb}; at least {least} is asked for");
        }
    }

    private static string NameOf(X509Certificate2 certificate) => certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
}
