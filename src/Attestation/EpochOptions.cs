using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation;

/// <summary>What an epoch's evidence binds, and who vouches for it.</summary>
public sealed record EpochOptions
{
    public required Hash256 LogId { get; init; }
    public required ulong ChainId { get; init; }
    public required EvmAddress Contract { get; init; }

    /// <summary>Native libraries in the process: name and SHA-256 of the file.</summary>
    public IReadOnlyList<(string Name, Hash256 Digest)> Libraries { get; init; } = [];

    /// <summary>At most 64 bytes: a recent block hash, so that the evidence is not older than that block.</summary>
    public ReadOnlyMemory<byte> Nonce { get; init; }

    /// <summary>The development root. Attesters of real platforms need none.</summary>
    public SoftwareRoot? SoftwareRoot { get; init; }

    /// <summary>A TPM that is not the system's own, by its TCTI's name (<c>device:/dev/tpmrm1</c>, <c>swtpm:path=…</c>), at most 255 bytes; of other attesters empty.</summary>
    public string Device { get; init; } = "";

    /// <summary>The platform's attester. Software is never chosen silently: the caller names it, and gives its root.</summary>
    public required EvidenceKind Attester { get; init; }
}
