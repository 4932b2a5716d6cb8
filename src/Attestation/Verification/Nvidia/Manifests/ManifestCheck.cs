using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Attestation.Verification.Pki;

namespace OpenGradient.Engine.Attestation.Verification.Nvidia.Manifests;

/// <summary>Compares a report's measurements with what the vendor's manifests of its driver and firmware name.</summary>
internal sealed class ManifestCheck(NvidiaPolicy policy, VerificationContext context, NvidiaCollateral collateral, ReasonList reasons)
{
    // The manifests' index counts from 0, the report's blocks from 1 (NVIDIA/nvtrust, local_gpu_verifier, verifier.py).
    private const int FirstBlock = 1;

    // NVDEC0's measurement: a device whose decoder is switched off says so, and does not measure it.
    private const int DecoderIndex = 35, DecoderField = 11;
    private const byte DecoderOff = 0x55;
    private const string AnyUsage = "2.5.29.37.0";

    public void Run(SpdmReport report, DeviceCertificate device)
    {
        var taken = new Dictionary<int, string>();
        // A switch has no driver.
        if (!device.IsSwitch) Compare(NvidiaVerifier.DriverManifestName, NvidiaJudgement.Driver(report), report, device, taken);
        Compare(NvidiaVerifier.FirmwareManifestName, FirmwareVersion.Of(report, device), report, device, taken);
    }

    private void Compare(string name, string? version, SpdmReport report, DeviceCertificate device, Dictionary<int, string> taken)
    {
        if (!context.Collateral.ContainsKey(name) && policy.RequireManifests) reasons.Miss(AttestationCheck.Collateral, $"{name} is missing");
        if (collateral.Manifest(name) is not { } manifest || !IsAuthentic(name, manifest)) return;
        if (manifest.Product != device.ManifestProduct) reasons.Refuse(AttestationCheck.Collateral, $"{name} is for {Shown(manifest.Product)}, the device is {device.Product}");
        if (!string.Equals(manifest.Version, version, StringComparison.OrdinalIgnoreCase)) reasons.Refuse(AttestationCheck.Collateral, $"{name} is of {manifest.Version}, the report of {version ?? "none"}");
        else CompareMeasurements(name, manifest, report, taken);
    }

    private void CompareMeasurements(string name, ReferenceManifest manifest, SpdmReport report, Dictionary<int, string> taken)
    {
        var isDecoderOff = report.Opaque.TryGetValue(DecoderField, out var decoder) && decoder.Span is [DecoderOff];
        foreach (var (index, values) in manifest.Measurements.OrderBy(entry => entry.Key))
        {
            if (!taken.TryAdd(index, name)) reasons.Refuse(AttestationCheck.Collateral, $"{taken[index]} and {name} both name block {index + FirstBlock}");
            if (index == DecoderIndex && isDecoderOff) continue;
            var found = report.Blocks.TryGetValue(index + FirstBlock, out var digest) ? Convert.ToHexStringLower(digest.Span) : "missing";
            if (!values.Contains(found, StringComparer.Ordinal)) reasons.Refuse(AttestationCheck.Measurement, $"block {index + FirstBlock} is {found}, which {name} does not name");
        }
    }

    // Everything that is wrong is a reason of the collateral, not of the evidence's own chain.
    private bool IsAuthentic(string name, ReferenceManifest manifest)
    {
        var found = new ReasonList();
        var rules = new PathRules { Keys = KeyRule.P384, Roots = policy.ManifestRoots, Denied = context.Policy.Denied, MostCertificates = XmlSignature.MostCertificates, KnownExtensions = [ExtendedUsages.Identifier] };
        if (CertificatePath.Check(manifest.Certificates, context.At, rules, found) is { } path)
        {
            CheckSigner(name, manifest, path, found);
            foreach (var certificate in path) certificate.Dispose();
        }

        foreach (var reason in found.All) reasons.Refuse(reason.Check == AttestationCheck.Revoked ? reason.Check : AttestationCheck.Collateral, $"{name}: {reason.Detail}");
        return found.IsEmpty;
    }

    private void CheckSigner(string name, ReferenceManifest manifest, X509Certificate2[] path, ReasonList found)
    {
        // A responder's or a server's key under the same root signs no manifests.
        if (ExtendedUsages.Of(path[0]) is { } usages && !usages.Contains(AnyUsage)) found.Refuse(AttestationCheck.Collateral, "the signer's certificate is for something else");
        if (!manifest.IsSignedBy(path[0])) found.Refuse(AttestationCheck.Collateral, "the signature does not hold");
        // The issuers' word counts only on a path that holds.
        if (found.IsEmpty) collateral.Answers.Check(path, 0, name, policy.OcspRules(policy.ManifestRoots), reasons);
    }

    private static string Shown(string text) => text.Length <= 32 && text.All(char.IsAsciiLetterOrDigit) ? text : "another product";
}
