namespace OpenGradient.Engine.Formats;

/// <summary>What a relying party trusts. What it does not name fails.</summary>
public sealed record TrustPolicy
{
    public required IReadOnlySet<Hash256> Logs { get; init; }
    public required ulong ChainId { get; init; }
    public required EvmAddress Contract { get; init; }
    public required EvidenceTrust Evidence { get; init; }

    /// <summary>Accepted model identities; empty accepts any.</summary>
    public IReadOnlySet<Hash256> Models { get; init; } = new HashSet<Hash256>();

    /// <summary>How far a receipt must have come: a bundle that lacks a section this stage needs fails.</summary>
    public ReceiptStage RequiredStage { get; init; } = ReceiptStage.Final;

    /// <summary>Blocks, the anchor's own included, that make it final, where the chain has no finalized tag.</summary>
    public ulong FinalityDepth { get; init; }

    /// <summary>Witnesses whose cosignatures count.</summary>
    public IReadOnlyList<VerifierKey> Witnesses { get; init; } = [];

    /// <summary>How many of them must have cosigned the checkpoint; 0 asks for none.</summary>
    public int WitnessQuorum { get; init; }
}

/// <summary>One reason why something was not accepted, with a sentence for people.</summary>
public sealed record VerificationFailure(VerificationReason Reason, string Detail)
{
    public override string ToString() => $"{Reason.Text()}: {Detail}";
}
