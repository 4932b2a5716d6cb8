using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification;

/// <summary>Steps 5 and 6, and what the policy's stage needs to be there. A section that is there is always checked.</summary>
internal sealed class ProofCheck(ISignatureVerifier signatures, EvidenceCheck evidence, TrustPolicy trust, Statement statement, FailureList failures)
{
    public void Run(ReceiptBundle bundle, EpochBinding? binding)
    {
        var anchored = trust.RequiredStage >= ReceiptStage.Anchored || bundle.Anchor is not null;
        var checkpointed = anchored || trust.WitnessQuorum > 0 || bundle.Inclusion is not null || bundle.Checkpoint is not null || bundle.CheckpointEvidence is not null
            || bundle.Version > 1;
        if (checkpointed)
        {
            CheckInclusion(bundle);
            CheckCheckpoint(bundle, binding);
            if (bundle.Checkpoint is { } checkpoint) new WitnessCheck(signatures, trust, failures).Run(checkpoint, bundle.Cosignatures);
        }

        if (anchored && bundle.Anchor is null) failures.Add(VerificationReason.AnchorMissing, "the bundle has no anchor");
    }

    private void CheckInclusion(ReceiptBundle bundle)
    {
        if (bundle.Inclusion is not { } inclusion)
        {
            failures.Add(VerificationReason.InclusionMissing, "the bundle has no proof that the statement is in the log");
            return;
        }

        if (bundle.Checkpoint is not { } checkpoint) return; // step 6 says that it is missing
        var root = MerkleTree.RootFromPath(bundle.Receipt.StatementId, inclusion.LeafIndex, inclusion.TreeSize, inclusion.Path);
        if (bundle.Consistency is { } consistency)
        {
            CheckConsistency(inclusion, root, checkpoint, consistency);
            return;
        }

        if (inclusion.TreeSize != checkpoint.Size)
            failures.Add(VerificationReason.CheckpointSizeMismatch, $"the inclusion proof is for size {inclusion.TreeSize}, the checkpoint has {checkpoint.Size}");
        if (root != checkpoint.Root)
            failures.Add(VerificationReason.StatementNotInLog, $"the path of leaf {inclusion.LeafIndex} does not lead to the checkpoint's root");
    }

    // The receipt was proven under an earlier tree: that tree must be a prefix of the checkpoint's.
    private void CheckConsistency(InclusionProof inclusion, Hash256? root, SignedCheckpoint checkpoint, Hash256[] consistency)
    {
        if (inclusion.TreeSize >= checkpoint.Size)
            failures.Add(VerificationReason.CheckpointSizeMismatch, $"a consistency proof is given, but the inclusion proof's size {inclusion.TreeSize} is not below the checkpoint's {checkpoint.Size}");
        else if (root is null)
            failures.Add(VerificationReason.StatementNotInLog, $"the path of leaf {inclusion.LeafIndex} does not fit a tree of size {inclusion.TreeSize}");
        else if (!MerkleTree.VerifyConsistency(inclusion.TreeSize, root.Value, checkpoint.Size, checkpoint.Root, consistency))
            failures.Add(VerificationReason.CheckpointNotConsistent, $"the tree of size {inclusion.TreeSize} that the leaf is in is not shown to be a prefix of the checkpoint's of size {checkpoint.Size}");
    }

    private void CheckCheckpoint(ReceiptBundle bundle, EpochBinding? binding)
    {
        if (bundle.Checkpoint is not { } checkpoint)
        {
            failures.Add(VerificationReason.CheckpointMissing, "the bundle has no checkpoint");
            return;
        }

        if (checkpoint.ChainId != trust.ChainId || checkpoint.Contract != trust.Contract)
            failures.Add(VerificationReason.CheckpointOtherChain, $"the checkpoint is for chain {checkpoint.ChainId} and contract {checkpoint.Contract}, trusted are {trust.ChainId} and {trust.Contract}");
        CheckNote(checkpoint);
        if (SignerOf(bundle, checkpoint, binding) is not { } signer) return;
        if (!signatures.VerifySecp256k1(signer.SigningKey.Span, checkpoint.ClaimFor(statement.LogId).Digest(), checkpoint.Signature.Span))
            failures.Add(VerificationReason.CheckpointSignatureInvalid, "the checkpoint is not signed by the key of the epoch it names");
    }

    private void CheckNote(SignedCheckpoint checkpoint)
    {
        var key = checkpoint.LogPublicKey.Span;
        if (SignedNote.LogIdOf(key) != statement.LogId)
        {
            failures.Add(VerificationReason.CheckpointNoteInvalid, "the log's public key is not the one whose hash is the log identity");
            return;
        }

        var signature = SignedNote.SignatureOf(checkpoint.Note.Span, key, checkpoint.Size, checkpoint.Root);
        if (signature is null || !signatures.VerifyEd25519(key, SignedNote.Text(statement.LogId, checkpoint.Size, checkpoint.Root), signature))
            failures.Add(VerificationReason.CheckpointNoteInvalid, "the signed note is not the log key's over this size and root");
    }

    // The binding of the epoch that signed the checkpoint, judged; null when there is none, and a failure says so.
    private EpochBinding? SignerOf(ReceiptBundle bundle, SignedCheckpoint checkpoint, EpochBinding? binding)
    {
        const string whose = "the checkpoint's epoch";
        if (checkpoint.Epoch == statement.Epoch)
        {
            if (bundle.CheckpointEvidence is not null) failures.Add(VerificationReason.BundleMalformed, "evidence of the checkpoint's epoch is given although it is the statement's");
            return binding;
        }

        var other = EvidenceCheck.Decode(bundle.CheckpointEvidence);
        evidence.Run(bundle.CheckpointEvidence, other, checkpoint.Epoch, whose);
        return other;
    }
}
