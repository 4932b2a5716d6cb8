using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Hosting.Trust;

namespace OpenGradient.Engine.Hosting.Attesting;

/// <summary>Who vouches for the epochs of a development folder.</summary>
/// <param name="Tpm">Null: /dev/tpmrm0.</param>
/// <param name="Collateral">A folder, or null.</param>
public sealed record DevelopmentAttester(string Name, string? Tpm, string? Collateral)
{
    private const string PolicyFile = "evidence-policy.json";

    public static DevelopmentAttester Software { get; } = new("software", null, null);

    public bool IsTpm => Name == "tpm";

    /// <summary>What a folder was set up with.</summary>
    public static DevelopmentAttester Of(AttestationConfiguration earlier) => new(earlier.Attester, earlier.Tpm, earlier.Collateral);

    /// <returns>Null where none is named.</returns>
    /// <exception cref="ConfigurationException">Not what a development folder is set up with.</exception>
    public static DevelopmentAttester? Of(string? name, string? tpm, string? collateral)
    {
        if (name is null) return (tpm ?? collateral) is null ? null : throw new ConfigurationException(["--tpm, --collateral: with --attester tpm alone"]);
        if (name is not ("software" or "tpm")) throw new ConfigurationException([$"--attester '{name}': a development folder is set up with software or tpm; write the configuration of any other by hand (docs/operations.md)"]);
        if (name == "software" && (tpm ?? collateral) is not null) throw new ConfigurationException(["--tpm, --collateral: with --attester tpm alone"]);
        if (tpm is not null && !TpmDevice.IsName(tpm)) throw new ConfigurationException([$"--tpm '{tpm}' is neither a device's path nor a TCTI's name"]);
        return new DevelopmentAttester(name, tpm, collateral is null ? null : Path.GetFullPath(collateral));
    }

    /// <summary>Writes the policy that names the TPM as it is now, where there is none yet.</summary>
    /// <exception cref="ConfigurationException">The folder was set up with another attester, or its files cannot be used.</exception>
    /// <exception cref="AttestationException">There is no such TPM.</exception>
    public void Prepare(string folder, AttestationConfiguration? earlier, AttestationShim shim, TimeProvider clock)
    {
        if (earlier is not null && earlier.Attester != Name) throw new ConfigurationException([$"--attester {Name}: '{folder}' was set up with {earlier.Attester}"]);
        if (!IsTpm || File.Exists(Path.Combine(folder, PolicyFile))) return;
        try
        {
            var file = Path.Combine(folder, PolicyFile);
            File.WriteAllBytes(file + ".tmp", DevelopmentPolicy.OfTpm(shim, Tpm, CollateralFolder.Read(Collateral), clock));
            File.Move(file + ".tmp", file, overwrite: true);
        }
        catch (FormatException unreadable)
        {
            throw new ConfigurationException([$"--collateral: {unreadable.Message}"]);
        }
    }

    public AttestationConfiguration Configuration => IsTpm ? new() { Attester = Name, Tpm = Tpm, Policy = PolicyFile, Collateral = Collateral } : new();

    /// <summary>What the development trust file accepts.</summary>
    /// <param name="root">The folder's development root, of software.</param>
    public TrustedEvidence Trusted(SoftwareRoot? root) => IsTpm || root is null
        ? new() { Accept = [Name], AnyBuild = true, Policy = TrustedEvidence.PolicyNamed(PolicyFile), Collateral = Collateral }
        : new() { Accept = ["software"], SoftwareRoots = [Convert.ToHexStringLower(root.PublicKey.Span)], AnyBuild = true };

    /// <summary>What the development trust file says of itself.</summary>
    public string Comment => IsTpm
        ? "DEVELOPMENT ONLY: accepts the TPM that was here when it was written, as it was, by a root that lay beside it, any build, and a development chain. Never use it to accept somebody else's receipts."
        : "DEVELOPMENT ONLY: accepts software evidence of one machine's own root, any build, and a development chain. Never use it to accept somebody else's receipts.";
}
