using OpenGradient.Engine.Formats;
using static OpenGradient.Engine.Formats.VerificationReason;

namespace OpenGradient.Engine.Verification.Tests;

public sealed class BundleVerifierTests(Installation installation) : IClassFixture<Installation>
{
    private static readonly BundleVerifier Verifier = new(Installation.Signatures, Installation.EvidenceVerifier);

    private ReceiptBundle Good => installation.Bundle(installation.First);

    private VerificationReason[] Reasons(ReceiptBundle bundle, TrustPolicy? trust = null, ExpectedDigests? expected = null)
    {
        var failures = Verifier.Verify(bundle, trust ?? installation.Trust, expected);
        Assert.All(failures, failure => Assert.NotEmpty(failure.Detail));
        return [.. failures.Select(failure => failure.Reason).Distinct()];
    }

    [Fact]
    public void Verify_WholeBundle_HoldsWhicheverEpochSignedTheCheckpoint()
    {
        Assert.Empty(Verifier.Verify(installation.Bundle(installation.First).Encode(), installation.Trust));
        Assert.Empty(Verifier.Verify(installation.Bundle(installation.Second).Encode(), installation.Trust));
    }

    [Fact]
    public void Verify_AnyFlippedByteBeforeTheAnchor_IsRefused()
    {
        var bundle = installation.Bundle(installation.Second);
        var whole = bundle.Encode();
        const int anchor = 2 + 4 + 32 + 8 + 32 + 4; // what only a node can check
        for (var i = 0; i < whole.Length - anchor + 6; i++)
        {
            var bytes = (byte[])whole.Clone();
            bytes[i] ^= (byte)(1 << (i % 8));
            Assert.True(Verifier.Verify(bytes, installation.Trust).Count > 0, $"byte {i} was flipped unnoticed");
        }
    }

    [Fact]
    public void Verify_TruncatedAnywhere_IsMalformed()
    {
        var whole = Good.Encode();
        for (var length = 0; length < whole.Length; length += 7)
            Assert.Equal(BundleMalformed, Verifier.Verify(whole.AsSpan(0, length), installation.Trust)[0].Reason);
        Assert.Equal(BundleMalformed, Verifier.Verify([.. whole, 0], installation.Trust)[0].Reason);
    }

    [Fact]
    public void Verify_ReceiptAlone_LacksItsEvidence()
    {
        var trust = installation.Trust with { RequiredStage = ReceiptStage.Executed };
        Assert.Equal([EvidenceMissing], Verifier.Verify(Good.Receipt.Encode(), trust).Select(failure => failure.Reason));
        Assert.Equal([ReceiptMalformed], Verifier.Verify(Good.Receipt.Encode().AsSpan()[..^1], trust).Select(failure => failure.Reason));
    }

    [Fact]
    public void Verify_EarlierStage_NeedsOnlyThatStagesSections()
    {
        var executed = new ReceiptBundle { Receipt = Good.Receipt, Evidence = Good.Evidence };
        Assert.Empty(Reasons(executed, installation.Trust with { RequiredStage = ReceiptStage.Verified }));
        Assert.Equal([InclusionMissing, CheckpointMissing, AnchorMissing], Reasons(executed, installation.Trust with { RequiredStage = ReceiptStage.Anchored }));
        Assert.Equal([AnchorMissing], Reasons(Good with { Anchor = null }));
        Assert.Empty(Reasons(Good with { Anchor = null }, installation.Trust with { RequiredStage = ReceiptStage.Durable }));
    }

    [Fact]
    public void Verify_SectionsThatNothingWouldCheck_AreRefused()
    {
        var early = installation.Trust with { RequiredStage = ReceiptStage.Executed };
        Assert.Equal([CheckpointMissing], Reasons(Good with { Checkpoint = null }, early));
        Assert.Equal([InclusionMissing], Reasons(Good with { Inclusion = null }, early));
        Assert.Equal([BundleMalformed], Reasons(Good with { CheckpointEvidence = Good.Evidence }));
    }

    [Fact]
    public void Verify_TrustThatNamesOthers_GivesEachReason()
    {
        var trust = installation.Trust;
        Assert.Equal([LogNotTrusted], Reasons(Good, trust with { Logs = new HashSet<Hash256>() }));
        Assert.Equal([ModelNotTrusted], Reasons(Good, trust with { Models = new HashSet<Hash256> { default } }));
        Assert.Empty(Reasons(Good, trust with { Models = new HashSet<Hash256>() }));
        Assert.Equal([EvidenceBindsOtherChain, CheckpointOtherChain], Reasons(Good, trust with { ChainId = 1 }));
        Assert.Equal([EvidenceBindsOtherChain, CheckpointOtherChain], Reasons(Good, trust with { Contract = default }));
        Assert.Equal([EvidenceKindNotAccepted], Reasons(Good, trust with { Evidence = trust.Evidence with { AcceptedKinds = new HashSet<EvidenceKind>() } }));
        Assert.Equal([EvidenceRootNotTrusted], Reasons(Good, trust with { Evidence = trust.Evidence with { SoftwareRoots = [] } }));
        Assert.Equal([EvidenceMeasurementNotTrusted], Reasons(Good, trust with { Evidence = trust.Evidence with { BuildDigests = new HashSet<Hash256> { default } } }));
    }

    [Fact]
    public void Verify_RowOfAnotherPlace_IsNotInTheBatch()
    {
        var receipt = Good.Receipt;
        Assert.Equal([RowNotInBatch], Reasons(Good with { Receipt = receipt with { Row = 2 } }));
        Assert.Equal([RowNotInBatch], Reasons(Good with { Receipt = receipt with { Row = 5 } }));
        Assert.Equal([RowNotInBatch], Reasons(Good with { Receipt = receipt with { Path = receipt.Path[1..] } }));
        Assert.Equal([RowNotInBatch], Reasons(Good with { Receipt = receipt with { Path = [.. receipt.Path, default] } }));
    }

    [Fact]
    public void Verify_TamperedLeafField_IsNotInTheBatch()
    {
        var leaf = RowLeaf.Decode(Good.Receipt.Leaf.Span);
        VerificationReason[] With(RowLeaf changed) => Reasons(Good with { Receipt = Good.Receipt with { Leaf = changed.ToArray() } });
        Assert.Equal([RowNotInBatch], With(leaf with { Salt = new byte[16] }));
        Assert.Equal([RowNotInBatch], With(leaf with { Request = default }));
        Assert.Equal([RowNotInBatch], With(leaf with { Output = default }));
        Assert.Equal([RowNotInBatch], With(leaf with { Parameters = default }));
        Assert.Equal([RowNotInBatch], With(leaf with { FirstSlot = 0 }));
        Assert.Equal([RowOutsideBatch, RowNotInBatch], With(leaf with { FirstSlot = 5 }));
        Assert.Equal([RowOutsideBatch, RowNotInBatch], With(leaf with { Rows = 0 }));
        Assert.Equal([RowOutsideBatch, RowNotInBatch], With(leaf with { Rows = 3 }));
    }

    [Fact]
    public void Verify_ExpectedDigests_AreCompared()
    {
        var leaf = RowLeaf.Decode(Good.Receipt.Leaf.Span);
        Assert.Empty(Reasons(Good, expected: new ExpectedDigests(leaf.Request, leaf.Output)));
        Assert.Equal([InputMismatch], Reasons(Good, expected: new ExpectedDigests(Request: Hash256.Zero)));
        Assert.Equal([OutputMismatch], Reasons(Good, expected: new ExpectedDigests(Output: Hash256.Zero)));
    }

    [Fact]
    public void Verify_EvidenceOfAnotherEpoch_IsNotForThisOne() =>
        Assert.Equal([StatementSignatureInvalid, EvidenceNotForEpoch, CheckpointSignatureInvalid], Reasons(Good with { Evidence = installation.EvidenceOf(installation.Second) }));

    [Fact]
    public void Verify_EvidenceOfTheSameKeyForAChallenge_IsNotForTheEpoch()
    {
        var fresh = Evidence.Decode(installation.First.FreshEvidence([1, 2, 3]));
        Assert.Equal([EvidenceNotForEpoch], Reasons(Good with { Evidence = fresh }));
    }

    [Fact]
    public void Verify_MissingOrBrokenEvidence_SaysSo()
    {
        Assert.Equal([EvidenceMissing], Reasons(Good with { Evidence = null }));
        Assert.Equal([EvidenceNotForEpoch, EvidenceMalformed], Reasons(Good with { Evidence = new Evidence(EvidenceKind.Software, new byte[3], default) }));
        Assert.Equal([EvidenceMalformed], Reasons(Good with { Evidence = Good.Evidence! with { Document = default } }));
    }

    [Fact]
    public void Verify_CheckpointOfAnotherEpochWithoutItsEvidence_IsMissingIt()
    {
        var bundle = installation.Bundle(installation.Second);
        Assert.Equal([EvidenceMissing], Reasons(bundle with { CheckpointEvidence = null }));
        Assert.Equal([EvidenceNotForEpoch, CheckpointSignatureInvalid], Reasons(bundle with { CheckpointEvidence = Good.Evidence }));
    }

    [Fact]
    public void Verify_TamperedInclusion_IsNotInTheLog()
    {
        var inclusion = Good.Inclusion!;
        Assert.Equal([StatementNotInLog], Reasons(Good with { Inclusion = inclusion with { LeafIndex = 1 } }));
        Assert.Equal([CheckpointSizeMismatch, StatementNotInLog], Reasons(Good with { Inclusion = inclusion with { TreeSize = 2 } }));
        Assert.Equal([CheckpointSizeMismatch], Reasons(Good with { Inclusion = inclusion with { TreeSize = 4 } }));
        Assert.Equal([StatementNotInLog], Reasons(Good with { Inclusion = inclusion with { Path = [] } }));
    }

    [Fact]
    public void Verify_TamperedCheckpointField_GivesItsReasons()
    {
        var checkpoint = Good.Checkpoint!;
        VerificationReason[] With(SignedCheckpoint changed) => Reasons(Good with { Checkpoint = changed });
        Assert.Equal([CheckpointSizeMismatch, CheckpointNoteInvalid, CheckpointSignatureInvalid], With(checkpoint with { Size = 4 }));
        Assert.Equal([StatementNotInLog, CheckpointNoteInvalid, CheckpointSignatureInvalid], With(checkpoint with { Root = default }));
        Assert.Equal([CheckpointSignatureInvalid], With(checkpoint with { PreviousHead = default }));
        Assert.Equal([CheckpointOtherChain, CheckpointSignatureInvalid], With(checkpoint with { ChainId = 1 }));
        Assert.Equal([CheckpointOtherChain, CheckpointSignatureInvalid], With(checkpoint with { Contract = default }));
        Assert.Equal([EvidenceMissing], With(checkpoint with { Epoch = default }));
        Assert.Equal([CheckpointSignatureInvalid], With(checkpoint with { Signature = new byte[65] }));
        Assert.Equal([CheckpointNoteInvalid], With(checkpoint with { LogPublicKey = new byte[32] }));
        Assert.Equal([CheckpointNoteInvalid], With(checkpoint with { Note = checkpoint.Note[..^1] }));
    }

    [Fact]
    public void Verify_StatementThatIsNone_IsMalformed() =>
        Assert.Equal([StatementMalformed], Reasons(Good with { Receipt = Good.Receipt with { Statement = new byte[300] } }));
}
