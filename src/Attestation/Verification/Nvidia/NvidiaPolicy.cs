using System.Globalization;
using OpenGradient.Engine.Attestation.Verification.Pki.Ocsp;
using OpenGradient.Engine.Attestation.Verification.Policy;

namespace OpenGradient.Engine.Attestation.Verification.Nvidia;

/// <summary>Which NVIDIA devices are accepted.</summary>
public sealed record NvidiaPolicy
{
    /// <summary>NVIDIA Device Identity CA, from NVIDIA/nvtrust (local_gpu_verifier, certs), valid from 2021 to 9999.</summary>
    public const string DeviceRoot = "102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48";

    /// <summary>NVIDIA CoRIM signing Root CA, from NVIDIA/nvtrust (local_gpu_verifier, certs), valid from 2023 to 2053.</summary>
    public const string ManifestRoot = "12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1";

    /// <summary>SHA-256 of the DER of each root that is trusted. The default is the vendor's own.</summary>
    public IReadOnlyList<string> Roots { get; init; } = [DeviceRoot];

    /// <summary>The same for the signers of reference manifests. The vendor keeps the two apart: a device's key signs no manifest.</summary>
    public IReadOnlyList<string> ManifestRoots { get; init; } = [ManifestRoot];

    /// <summary>Graphics processors with confidential computing. A switch (LS_10) answers in the same format and computes nothing.</summary>
    public IReadOnlyList<string> Products { get; init; } = ["GH100", "GB100"];

    /// <summary>Driver versions that are accepted ("590.12"). None named: any.</summary>
    public IReadOnlyList<string> Drivers { get; init; } = [];

    /// <summary>Firmware (VBIOS) versions that are accepted, as hexadecimal of the report's field. None named: any.</summary>
    public IReadOnlyList<string> Firmware { get; init; } = [];

    /// <summary>By block, from 1, the digests of which one must stand in the report; lower-case hexadecimal.</summary>
    public IReadOnlyDictionary<int, IReadOnlyList<string>> Measurements { get; init; } = new Dictionary<int, IReadOnlyList<string>>();

    /// <summary>
    /// Whether the vendor's reference manifests of driver and firmware must vouch for the measurements. True: without them a report says
    /// that a device is genuine, not what it runs. Where false, a manifest that is given is judged all the same.
    /// </summary>
    public bool RequireManifests { get; init; } = true;

    /// <summary>
    /// Whether the vendor must say, by OCSP, that no certificate of a path is revoked. True: the devices' certificates never expire. Where
    /// false, an answer that is given is judged all the same, and the deny list is applied in any case.
    /// </summary>
    public bool RequireRevocation { get; init; } = true;

    /// <summary>How long an OCSP answer without a next update holds. Zero: it is refused, as it would hold for ever.</summary>
    public TimeSpan RevocationAge { get; init; } = TimeSpan.Zero;

    /// <exception cref="PolicyException">A field is not what it must be.</exception>
    internal static NvidiaPolicy Read(PolicyReader reader)
    {
        var defaults = new NvidiaPolicy();
        return new NvidiaPolicy
        {
            Roots = reader.Hex("roots", 32, defaults.Roots),
            Products = reader.Strings("products", [.. defaults.Products]),
            Drivers = reader.Strings("drivers", []),
            Firmware = reader.Strings("firmware", []),
            Measurements = reader.Section("measurements") is { } blocks ? ReadMeasurements(blocks) : defaults.Measurements,
            ManifestRoots = reader.Hex("manifestRoots", 32, defaults.ManifestRoots),
            RequireManifests = reader.Flag("requireManifests", defaults.RequireManifests),
            RequireRevocation = reader.Flag("requireRevocation", defaults.RequireRevocation),
            RevocationAge = reader.Seconds("revocationAgeSeconds", defaults.RevocationAge),
        };
    }

    internal OcspRules OcspRules(IReadOnlyList<string> roots) => new() { Roots = roots, IsRequired = RequireRevocation, WithoutNextUpdate = RevocationAge };

    // {"7": ["4a5e…"]}
    private static Dictionary<int, IReadOnlyList<string>> ReadMeasurements(PolicyReader blocks)
    {
        var values = new Dictionary<int, IReadOnlyList<string>>();
        foreach (var name in blocks.Names)
        {
            var isIndex = int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index is > 0 and < 256;
            if (!isIndex || index.ToString(CultureInfo.InvariantCulture) != name) throw blocks.Error(name, "must be the number of a block, 1 to 255");
            values[index] = blocks.Hex(name, SpdmReport.DigestSize);
            if (values[index].Count == 0) throw blocks.Error(name, "names no value");
        }

        return values;
    }
}
