using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Hosting.Attesting;

/// <summary>Evidence of this machine for a challenge, by an epoch of no log that ends at once: what <c>og attest</c> writes.</summary>
public static class MachineEvidence
{
    /// <summary>Has the attester vouch for a new key and the nonce.</summary>
    /// <param name="shim">The loaded shim.</param>
    /// <param name="kind">The attester.</param>
    /// <param name="tpm">A TPM that is not the system's own; null: the system's.</param>
    /// <param name="root">The development root, of the software attester alone.</param>
    /// <param name="nonce">At most 64 bytes.</param>
    /// <param name="clock">The host's.</param>
    /// <exception cref="AttestationException">The attester is not available here, or failed; the message has the shim's reason.</exception>
    public static Epoch Make(AttestationShim shim, EvidenceKind kind, string? tpm, SoftwareRoot? root, ReadOnlyMemory<byte> nonce, TimeProvider clock)
    {
        using var epoch = EnclaveEpoch.Open(shim, new EpochOptions
        {
            Attester = kind, LogId = default, ChainId = 0, Contract = default, Nonce = nonce, SoftwareRoot = root, Device = tpm is null ? "" : TpmDevice.Name(tpm),
        }, clock);
        return epoch.Epoch;
    }
}
