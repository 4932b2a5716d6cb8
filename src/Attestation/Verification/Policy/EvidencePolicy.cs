using OpenGradient.Engine.Attestation.Verification.Nitro;
using OpenGradient.Engine.Attestation.Verification.Nvidia;
using OpenGradient.Engine.Attestation.Verification.SevSnp;
using OpenGradient.Engine.Attestation.Verification.Tdx;
using OpenGradient.Engine.Attestation.Verification.Tpm;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Verification.Policy;

/// <summary>What evidence is accepted. A kind without a section is not accepted.</summary>
public sealed record EvidencePolicy
{
    /// <summary>SHA-256 of the policy file's bytes; stands in every result.</summary>
    public Hash256 Digest { get; init; }

    public NitroPolicy? Nitro { get; init; }

    public SevSnpPolicy? SevSnp { get; init; }

    public TdxPolicy? Tdx { get; init; }

    public TpmPolicy? Tpm { get; init; }

    public NvidiaPolicy? Nvidia { get; init; }
}
