namespace OpenGradient.Engine.Attestation.Verification.Tdx;

/// <summary>What of this kind is accepted.</summary>
public sealed record TdxPolicy
{
    /// <summary>SHA-256 of the DER of each root that is trusted. The default is the vendor's own.</summary>
    public IReadOnlyList<string> Roots { get; init; } = [];
}
