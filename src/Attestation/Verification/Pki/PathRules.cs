namespace OpenGradient.Engine.Attestation.Verification.Pki;

/// <summary>Which keys a path's certificates may have.</summary>
public enum KeyRule
{
    /// <summary>ECDSA over P-384, signed with SHA-384.</summary>
    P384,

    /// <summary>ECDSA over P-256, signed with SHA-256.</summary>
    P256,

    /// <summary>RSA of 4,096 bits, signed with PSS, SHA-384 and a salt of 48 bytes; the leaf may be ECDSA over P-384.</summary>
    Rsa4096Pss,

    /// <summary>RSA of at least 2,048 bits or ECDSA over P-256 or P-384, signed with SHA-256 or better.</summary>
    Any,
}

/// <summary>How a path is judged.</summary>
public sealed record PathRules
{
    public required KeyRule Keys { get; init; }

    /// <summary>SHA-256 of the DER of each root that is trusted, lower-case hexadecimal.</summary>
    public required IReadOnlyCollection<string> Roots { get; init; }

    /// <summary>The policy's list (<see cref="Policy.EvidencePolicy.Denied"/>). Required, so that no kind forgets it.</summary>
    public required DenyList Denied { get; init; }

    /// <summary>Certificates of a path, leaf and root included.</summary>
    public int MostCertificates { get; init; } = 10;

    /// <summary>The leaf must carry a key usage with digitalSignature. AMD's do not.</summary>
    public bool LeafHasKeyUsage { get; init; } = true;

    /// <summary>Extensions that may be critical without this program knowing them. Key usage and basic constraints are known.</summary>
    public IReadOnlyCollection<string> KnownExtensions { get; init; } = [];
}
