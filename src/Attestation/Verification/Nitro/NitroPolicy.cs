namespace OpenGradient.Engine.Attestation.Verification.Nitro;

/// <summary>Which Nitro enclaves are accepted.</summary>
public sealed record NitroPolicy
{
    /// <summary>AWS Nitro Enclaves Root-G1: the root that AWS documents for attestation, of aws.nitro-enclaves, valid from 2019 to 2049.</summary>
    public const string AwsRoot = "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b";

    /// <summary>SHA-256 of the DER of each root that is trusted. The default is the vendor's own.</summary>
    public IReadOnlyList<string> Roots { get; init; } = [AwsRoot];

    /// <summary>
    /// By PCR, the values of which one must stand in the document; lower-case hexadecimal. PCR 0, 1 and 2 are image, kernel and application,
    /// 3 the role, 4 the instance, 8 the image's signer. A PCR that is not named here is not compared.
    /// </summary>
    public IReadOnlyDictionary<int, IReadOnlyList<string>> Pcrs { get; init; } = new Dictionary<int, IReadOnlyList<string>>();

    /// <summary>Whether PCR 0, 1 and 2 must be named. True: evidence of an unknown image says nothing about what answers.</summary>
    public bool RequireMeasurements { get; init; } = true;

    /// <summary>False: the operator reads a debug enclave's console, and its measurements are zero.</summary>
    public bool AllowDebug { get; init; }

    /// <summary>Five minutes: a challenge is answered in seconds, and without a challenge this alone bounds replay. A certificate lives three hours.</summary>
    public TimeSpan MaximumAge { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How far the document's time may be after the asked one. Five seconds: two synchronised clocks differ by less.</summary>
    public TimeSpan MaximumSkew { get; init; } = TimeSpan.FromSeconds(5);
}
