namespace OpenGradient.Engine.Attestation.Verification.Nvidia;

/// <summary>What of this kind is accepted.</summary>
public sealed record NvidiaPolicy
{
    /// <summary>SHA-256 of the DER of each root that is trusted. The default is the vendor's own.</summary>
    public IReadOnlyList<string> Roots { get; init; } = [];
}
