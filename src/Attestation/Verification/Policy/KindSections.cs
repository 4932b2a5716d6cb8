using OpenGradient.Engine.Attestation.Verification.Nitro;
using OpenGradient.Engine.Attestation.Verification.Nvidia;
using OpenGradient.Engine.Attestation.Verification.SevSnp;
using OpenGradient.Engine.Attestation.Verification.Tdx;
using OpenGradient.Engine.Attestation.Verification.Tpm;

namespace OpenGradient.Engine.Attestation.Verification.Policy;

/// <summary>The policy's section of each kind. Each kind reads its own.</summary>
internal static class KindSections
{
    public static EvidencePolicy Read(PolicyReader policy) => new()
    {
        Nitro = Section(policy, "nitro", NitroPolicy.Read),
        SevSnp = Section(policy, "sev-snp", SevSnpPolicy.Read),
        Tdx = Section(policy, "tdx", TdxPolicy.Read),
        Tpm = Section(policy, "tpm", TpmPolicy.Read),
        Nvidia = Section(policy, "nvidia", NvidiaPolicy.Read),
    };

    private static T? Section<T>(PolicyReader policy, string name, Func<PolicyReader, T> read) where T : class
    {
        if (policy.Section(name) is not { } section) return null;
        var result = read(section);
        section.End();
        return result;
    }
}
