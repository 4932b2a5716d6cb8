using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Formats;
using static OpenGradient.Engine.Formats.VerificationReason;

namespace OpenGradient.Engine.Verification.Tests;

/// <summary>k of n witnesses, and proofs under a later checkpoint.</summary>
public sealed class WitnessTests(Installation installation) : IClassFixture<Installation>
{
    private static readonly BundleVerifier Verifier = new(Installation.Signatures, Installation.EvidenceVerifier);
    private static readonly (VerifierKey Key, byte[] Seed)[] Witnesses = [.. Enumerable.Range(1, 3).Select(Witness)];

    [Theory]
    [InlineData(2, "01", "")]
    [InlineData(2, "012", "")]
    [InlineData(3, "012", "")]
    [InlineData(1, "2", "")]
    [InlineData(2, "0", "witness-quorum-missed")]
    [InlineData(3, "01", "witness-quorum-missed")]
    [InlineData(1, "", "witness-quorum-missed")]
    [InlineData(2, "00", "witness-quorum-missed")] // one witness twice is one
    [InlineData(2, "01x", "cosignature-invalid")] // the third names its witness and does not verify
    [InlineData(2, "0x", "cosignature-invalid,witness-quorum-missed")]
    [InlineData(2, "01u", "")] // one that nobody named says nothing
    [InlineData(2, "0u", "witness-quorum-missed")]
    public void Verify_Quorum_IsCountedByNamedWitnesses(int quorum, string signers, string reasons)
    {
        var trust = installation.Trust with { Witnesses = [.. Witnesses.Select(witness => witness.Key)], WitnessQuorum = quorum };
        var bundle = installation.Bundle(installation.First);
        bundle = bundle with { Cosignatures = signers.SelectMany(signer => Line(bundle.Checkpoint!, signer)).ToArray() };
        Assert.Equal(reasons, string.Join(',', Verifier.Verify(bundle.Encode(), trust).Select(failure => failure.Reason.Text()).Distinct()));
    }

    [Fact]
    public void Verify_QuorumOverAnotherCheckpoint_IsMissed()
    {
        var trust = installation.Trust with { Witnesses = [Witnesses[0].Key], WitnessQuorum = 1 };
        var bundle = installation.Bundle(installation.First);
        var other = bundle.Checkpoint! with { Root = Hash256.Sha256("another history"u8) };
        bundle = bundle with { Cosignatures = Line(other, '0') };
        Assert.Equal([CosignatureInvalid, WitnessQuorumMissed], Verifier.Verify(bundle, trust).Select(failure => failure.Reason));
    }

    [Fact]
    public void Verify_QuorumAskedOfAReceiptWithoutCheckpoint_Fails()
    {
        var trust = installation.Trust with { Witnesses = [Witnesses[0].Key], WitnessQuorum = 1, RequiredStage = ReceiptStage.Executed };
        var bare = new ReceiptBundle { Receipt = installation.Bundle(installation.First).Receipt, Evidence = installation.EvidenceOf(installation.First) };
        Assert.Equal([InclusionMissing, CheckpointMissing], Verifier.Verify(bare, trust).Select(failure => failure.Reason));
        Assert.Empty(Verifier.Verify(bare, trust with { WitnessQuorum = 0, Witnesses = [] }));
    }

    [Fact]
    public void Verify_AnyFlippedByteOfTheNewSections_IsRefused()
    {
        var trust = installation.Trust with { Witnesses = [Witnesses[0].Key], WitnessQuorum = 1 };
        var bundle = Earlier();
        bundle = bundle with { Cosignatures = Line(bundle.Checkpoint!, '0') };
        var whole = bundle.Encode();
        Assert.Empty(Verifier.Verify(whole, trust));
        var length = (bundle with { Cosignatures = default, Consistency = null }).Encode().Length;
        for (var i = length; i < whole.Length; i++)
            for (var bit = 0; bit < 8; bit++)
            {
                byte[] changed = [.. whole];
                changed[i] ^= (byte)(1 << bit);
                Assert.True(Verifier.Verify(changed, trust).Count > 0, $"byte {i}, bit {bit} was flipped unnoticed");
            }
    }

    [Fact]
    public void Verify_EarlierInclusionWithConsistency_HoldsAndItsLackDoesNot()
    {
        var bundle = Earlier();
        Assert.Empty(Verifier.Verify(bundle.Encode(), installation.Trust));
        Assert.Equal([CheckpointSizeMismatch, StatementNotInLog], Reasons(bundle with { Consistency = null }));
        Assert.Equal([CheckpointNotConsistent], Reasons(bundle with { Consistency = [] }));
        Assert.Equal([CheckpointNotConsistent], Reasons(bundle with { Consistency = [Hash256.Zero] }));
        Assert.Equal([CheckpointNotConsistent], Reasons(bundle with { Consistency = [.. bundle.Consistency!, Hash256.Zero] }));
        Assert.Equal([CheckpointNotConsistent], Reasons(bundle with { Inclusion = bundle.Inclusion! with { Path = [Hash256.Zero] } }));
        Assert.Equal([StatementNotInLog], Reasons(bundle with { Inclusion = bundle.Inclusion! with { Path = [] } }));
        Assert.Equal([CheckpointSizeMismatch], Reasons(installation.Bundle(installation.First) with { Consistency = [] })); // nothing to bridge
    }

    private VerificationReason[] Reasons(ReceiptBundle bundle) => [.. Verifier.Verify(bundle, installation.Trust).Select(failure => failure.Reason).Distinct()];

    // The statement under the tree of two leaves, and that tree under the checkpoint of three.
    private ReceiptBundle Earlier()
    {
        Hash256[] leaves = [.. installation.Statements.Select(statement => MerkleTree.LeafHash(statement))];
        return installation.Bundle(installation.First) with { Inclusion = new InclusionProof(0, 2, [leaves[1]]), Consistency = [leaves[2]] };
    }

    private static byte[] Line(SignedCheckpoint checkpoint, char signer)
    {
        const ulong time = 1_800_000_000;
        var (key, seed) = signer switch { 'x' => Witnesses[2], 'u' => Witness(9), _ => Witnesses[signer - '0'] };
        var text = SignedNote.Text(SignedNote.LogIdOf(checkpoint.LogPublicKey.Span), checkpoint.Size, checkpoint.Root);
        var signature = Installation.Signatures.SignEd25519(seed, Cosignature.Message(signer == 'x' ? time + 1 : time, text));
        return Cosignature.Line(key, time, signature);
    }

    private static (VerifierKey Key, byte[] Seed) Witness(int number)
    {
        var seed = Hash256.Sha256([(byte)number]).ToArray();
        return (new VerifierKey($"witness.example/{number}", NoteKeyType.Cosignature, Installation.Signatures.Ed25519PublicKeyOf(seed)), seed);
    }
}
