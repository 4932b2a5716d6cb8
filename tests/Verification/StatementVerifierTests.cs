using OpenGradient.Engine.Formats;
using static OpenGradient.Engine.Formats.VerificationReason;

namespace OpenGradient.Engine.Verification.Tests;

public sealed class StatementVerifierTests(Installation installation) : IClassFixture<Installation>
{
    private EpochRegistry Registry(EvidenceTrust? trust = null) =>
        new(installation.LogId, Installation.ChainId, Installation.Contract, Installation.EvidenceVerifier, trust ?? installation.Trust.Evidence);

    private StatementVerifier VerifierKnowing(params Attestation.EnclaveEpoch[] epochs)
    {
        var registry = Registry();
        foreach (var epoch in epochs) Assert.NotNull(registry.Add(epoch.Epoch.Evidence.Span));
        return new StatementVerifier(registry, Installation.Signatures);
    }

    [Fact]
    public void Verify_StatementsOfBothEpochs_HaveNoReason()
    {
        var verifier = VerifierKnowing(installation.First, installation.Second);
        Assert.All(installation.Statements, statement => Assert.Empty(verifier.Verify(statement)));
    }

    [Fact]
    public void Verify_EpochThatWasNeverRegistered_IsUnknown() =>
        Assert.Equal([EpochUnknown], VerifierKnowing(installation.First).Verify(installation.Statements[2]));

    [Fact]
    public void Verify_AnyFlippedByte_IsRefused()
    {
        var verifier = VerifierKnowing(installation.First);
        var statement = installation.Statements[0];
        for (var i = 0; i < statement.Length; i++)
        {
            var bytes = (byte[])statement.Clone();
            bytes[i] ^= (byte)(1 << (i % 8));
            Assert.True(verifier.Verify(bytes).Count > 0, $"byte {i} was flipped unnoticed");
        }
    }

    [Theory]
    [InlineData(0, StatementMalformed)]
    [InlineData(16, LogNotTrusted)]
    [InlineData(48, EpochUnknown)]
    [InlineData(80, StatementSignatureInvalid)]
    [InlineData(88, StatementMalformed)]
    [InlineData(120, StatementSignatureInvalid)]
    [InlineData(184, StatementSignatureInvalid)]
    [InlineData(185, StatementMalformed)]
    public void Verify_TamperedField_GivesItsReason(int offset, VerificationReason expected)
    {
        var bytes = (byte[])installation.Statements[0].Clone();
        bytes[offset] ^= 1;
        Assert.Contains(expected, VerifierKnowing(installation.First).Verify(bytes));
    }

    [Fact]
    public void Verify_TruncatedOrExtended_IsMalformed()
    {
        var verifier = VerifierKnowing(installation.First);
        var statement = installation.Statements[0];
        for (var length = 0; length < statement.Length; length++) Assert.Equal([StatementMalformed], verifier.Verify(statement.AsMemory(0, length)));
        Assert.Equal([StatementMalformed], verifier.Verify((byte[])[.. statement, 0]));
    }

    [Fact]
    public void Verify_BodyChangedWithItsDigest_FailsTheSignature()
    {
        var statement = Statement.Decode(installation.Statements[0]);
        foreach (var forged in (Statement[])[
            statement with { BatchRows = 99 }, statement with { Receipts = 4 }, statement with { HostTime = 1 }, statement with { Chain = null },
            statement with { RowsRoot = default }, statement with { Sequence = 99 }, statement with { Context = statement.Context with { ModelName = "other" } }])
            Assert.Equal([StatementSignatureInvalid], VerifierKnowing(installation.First).Verify(forged.Encode()));
    }

    [Fact]
    public void Verify_EvidenceThatDoesNotHold_GivesItsReasonsForEveryStatement()
    {
        var registry = Registry(installation.Trust.Evidence with { SoftwareRoots = [] });
        Assert.Equal([EvidenceRootNotTrusted], registry.Add(installation.First.Epoch.Evidence.Span)!.Failures);
        var verifier = new StatementVerifier(registry, Installation.Signatures);
        Assert.Equal([EvidenceRootNotTrusted], verifier.Verify(installation.Statements[0]));
    }

    [Fact]
    public void Add_EvidenceOfAnotherLogOrChain_IsKeptWithItsReason()
    {
        using var otherChain = installation.Open(chainId: 1);
        using var otherLog = installation.Open(logId: Hash256.Sha256("another log"u8));
        Assert.Equal([EvidenceBindsOtherChain], Registry().Add(otherChain.Epoch.Evidence.Span)!.Failures);
        Assert.Equal([EvidenceBindsOtherLog], Registry().Add(otherLog.Epoch.Evidence.Span)!.Failures);
    }

    [Fact]
    public void Add_BytesThatAreNoEvidence_IsNull()
    {
        Assert.Null(Registry().Add([]));
        Assert.Null(Registry().Add(installation.First.Epoch.Evidence.Span[..^1]));
        Assert.Null(Registry().Add(new Evidence(EvidenceKind.Software, default, default).Encode()));
    }

    [Fact]
    public void Add_DamagedDocumentAfterTheRightOne_DoesNotReplaceIt()
    {
        var registry = Registry();
        var right = installation.First.Epoch.Evidence.ToArray();
        var damaged = (byte[])right.Clone();
        damaged[^1] ^= 1;
        Assert.Equal([EvidenceSignatureInvalid], registry.Add(damaged)!.Failures);
        Assert.Empty(registry.Add(right)!.Failures);
        Assert.Empty(registry.Add(damaged)!.Failures);
        Assert.Empty(registry.Find(installation.First.Epoch.Id)!.Failures);
    }

    [Fact]
    public void Verify_ManyStatementsOfOneEpoch_JudgesItsEvidenceOnce()
    {
        var counting = new CountingVerifier();
        var registry = new EpochRegistry(installation.LogId, Installation.ChainId, Installation.Contract, counting, installation.Trust.Evidence);
        registry.Add(installation.First.Epoch.Evidence.Span);
        registry.Add(installation.First.Epoch.Evidence.Span);
        var verifier = new StatementVerifier(registry, Installation.Signatures);
        for (var i = 0; i < 5; i++) Assert.Empty(verifier.Verify(installation.Statements[i % 2]));
        Assert.Equal(1, counting.Calls);
    }

    private sealed class CountingVerifier : IEvidenceVerifier
    {
        public int Calls { get; private set; }

        public IReadOnlyList<VerificationFailure> Verify(Evidence evidence, EvidenceTrust trust, DateTimeOffset at)
        {
            Calls++;
            return Installation.EvidenceVerifier.Verify(evidence, trust, at);
        }
    }
}
