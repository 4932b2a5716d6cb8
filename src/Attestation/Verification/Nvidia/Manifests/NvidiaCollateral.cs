using OpenGradient.Engine.Attestation.Verification.Pki.Ocsp;

namespace OpenGradient.Engine.Attestation.Verification.Nvidia.Manifests;

/// <summary>
/// What the vendor says of a device: reference manifests and OCSP answers, read before anything is asked of a key. What cannot be read is a
/// reason; what is missing is none yet.
/// </summary>
internal sealed class NvidiaCollateral
{
    private readonly Dictionary<string, ReferenceManifest> _manifests = new(StringComparer.Ordinal);

    public NvidiaCollateral(VerificationContext context, ReasonList reasons)
    {
        Answers = new OcspCheck(context, reasons);
        foreach (var name in (string[])[NvidiaVerifier.DriverManifestName, NvidiaVerifier.FirmwareManifestName])
        {
            if (!context.Collateral.TryGetValue(name, out var file)) continue;
            try
            {
                _manifests[name] = ReferenceManifest.Read(file);
            }
            catch (FormatException error)
            {
                reasons.Refuse(AttestationCheck.Collateral, $"{name}: {error.Message}");
            }
        }
    }

    public OcspCheck Answers { get; }

    /// <returns>Null where it is missing or could not be read.</returns>
    public ReferenceManifest? Manifest(string name) => _manifests.GetValueOrDefault(name);
}
