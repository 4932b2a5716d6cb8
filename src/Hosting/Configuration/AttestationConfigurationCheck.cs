using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Attesting;

namespace OpenGradient.Engine.Hosting.Configuration;

/// <summary>Finds what would not work in the group <c>attestation</c>.</summary>
internal static class AttestationConfigurationCheck
{
    public static void Check(AttestationConfiguration attestation, List<string> errors)
    {
        if (Kind(attestation.Attester) is not { } kind)
        {
            errors.Add($"attestation.attester: '{attestation.Attester}' is none of software, nitro, sev-snp, tdx and tpm");
            return;
        }

        if (attestation.Tpm is not null && kind != EvidenceKind.Tpm) errors.Add($"attestation.tpm: the attester {attestation.Attester} has no use for it");
        else if (attestation.Tpm is { } name && !TpmDevice.IsName(name)) errors.Add($"attestation.tpm: '{name}' is neither a device's path nor a TCTI's name, such as device:/dev/tpmrm0");
        if (kind == EvidenceKind.Software)
        {
            if (attestation.Policy is not null) errors.Add("attestation.policy: software evidence is judged by no policy; name a platform's attester, or leave it out");
            if (attestation.Collateral is not null) errors.Add("attestation.collateral: software evidence has none; name a platform's attester, or leave it out");
        }
        else if (attestation.Policy is null)
        {
            errors.Add($"attestation.policy: needed with the attester {attestation.Attester}: the policy by which this host judges its own evidence before it serves (docs/attestation.md)");
        }
    }

    /// <summary>Null for a name that is none.</summary>
    public static EvidenceKind? Kind(string name) => name switch
    {
        "software" => EvidenceKind.Software,
        "nitro" => EvidenceKind.Nitro,
        "sev-snp" => EvidenceKind.SevSnp,
        "tdx" => EvidenceKind.Tdx,
        "tpm" => EvidenceKind.Tpm,
        _ => null,
    };
}
