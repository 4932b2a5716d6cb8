using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Trust;
using OpenGradient.Engine.Settlement.Evm;

namespace OpenGradient.Engine.Hosting.Tests.Attesting;

/// <summary>Between which blocks evidence was made, and whether they lie close enough.</summary>
public sealed class EpochMomentsTests
{
    private static readonly Hash256 LogId = Hash256.Sha256("log"u8);

    private static Evidence Evidence(Hash256? nonce, EvidenceKind kind = EvidenceKind.Tpm) => new(kind, new EpochBinding(
        [new BoundKey(BoundKey.Secp256k1, EpochBinding.Secp256k1Spki([4, .. new byte[64]]))], default, [], LogId, StubNode.ChainId, StubNode.Contract, nonce?.ToArray() ?? []).Encode(), new byte[] { 1 });

    private static TrustPolicy Trust(string policy = "{\"version\":1,\"maximumBlockAgeSeconds\":100,\"tpm\":{}}") => new()
    {
        Logs = new HashSet<Hash256> { LogId }, ChainId = StubNode.ChainId, Contract = StubNode.Contract,
        Evidence = new EvidenceTrust(new HashSet<EvidenceKind> { EvidenceKind.Tpm }, [], new HashSet<Hash256>()) { Policy = System.Text.Encoding.UTF8.GetBytes(policy) },
    };

    private static StubNode Node(Evidence evidence, ulong? registered, params (ulong Number, long Time)[] blocks)
    {
        var node = new StubNode { LogId = LogId, Blocks = new(blocks.ToDictionary(block => block.Number, block => block.Time)) };
        if (registered is { } at) node.Registered.Add((at, Signer(evidence), Hash256.Sha256(evidence.Encode()), evidence.Epoch));
        return node;
    }

    private static Hash256 Signer(Evidence evidence) => LedgerAbi.Topic(EvmAddress.OfPublicKey(EpochBinding.Decode(evidence.Binding.Span).SigningKey.Span));

    private static Task<EpochMoment> Find(Evidence evidence, StubNode node, ulong? anchor = null, TrustPolicy? trust = null) =>
        new EpochMoments(trust ?? Trust(), node.Client()).FindAsync(evidence, anchor, CancellationToken.None);

    [Theory]
    [InlineData(1060, true)]
    [InlineData(1100, true)]
    [InlineData(1101, false)]
    public async Task Registered_WithinTheBoundOrNot_IsJudgedAtItsRegistration(long registered, bool isFresh)
    {
        var evidence = Evidence(StubNode.HashOf(10));
        var moment = await Find(evidence, Node(evidence, 12, (10, 1000), (12, registered), (90, 9000)), anchor: 90);
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(registered), moment.At);
        Assert.Equal(isFresh ? null : VerificationReason.EvidenceNotFresh, moment.Failure?.Reason);
    }

    [Fact]
    public async Task NeverRegistered_IsJudgedAtItsAnchorOrNow()
    {
        var evidence = Evidence(StubNode.HashOf(10));
        var node = Node(evidence, null, (10, 1000), (12, 1050), (13, 1070));
        Assert.Equal(1050, (await Find(evidence, node, anchor: 12)).At!.Value.ToUnixTimeSeconds());
        Assert.Equal(1070, (await Find(evidence, node)).At!.Value.ToUnixTimeSeconds());
    }

    [Fact]
    public async Task Registration_OfOtherEvidenceOrKey_IsNotItsOwn()
    {
        var evidence = Evidence(StubNode.HashOf(10));
        var node = Node(evidence, null, (10, 1000), (11, 1010), (13, 5000));
        node.Registered.Add((11, Signer(evidence), default, evidence.Epoch));
        node.Registered.Add((11, Signer(evidence), Hash256.Sha256(evidence.Encode()), default));
        node.Registered.Add((11, default, Hash256.Sha256(evidence.Encode()), evidence.Epoch));
        Assert.Equal(VerificationReason.EvidenceNotFresh, (await Find(evidence, node)).Failure!.Reason);
    }

    [Fact]
    public async Task Nonce_ThatIsNoBlockOfTheChain_IsNotFresh()
    {
        var undone = Hash256.Sha256("undone by a reorganisation"u8);
        foreach (var nonce in (Hash256?[])[null, Hash256.Sha256("elsewhere"u8), undone])
        {
            var evidence = Evidence(nonce);
            var node = Node(evidence, 10, (10, 1000));
            node.Orphans.Add(undone, 10);
            var moment = await Find(evidence, node);
            Assert.Equal((null, VerificationReason.EvidenceNotFresh), (moment.At, moment.Failure!.Reason));
        }
    }

    [Fact]
    public async Task Node_ThatIsDownOrOfAnotherChain_IsUnreachableAndNeverFresh()
    {
        var evidence = Evidence(StubNode.HashOf(10));
        foreach (var node in (StubNode[])[new StubNode { IsDown = true }, new StubNode { Serves = 8, Blocks = new() { [10] = 1000 } }])
            Assert.Equal(VerificationReason.ChainUnreachable, (await Find(evidence, node)).Failure!.Reason);
    }

    [Fact]
    public async Task Software_AndWhatNoPolicyJudges_AsksNobody()
    {
        var node = new StubNode { IsDown = true };
        Assert.Equal(new EpochMoment(null, null), await Find(Evidence(StubNode.HashOf(10), EvidenceKind.Software), node));
        Assert.Equal(new EpochMoment(null, null), await Find(Evidence(StubNode.HashOf(10)), node, trust: Trust("{\"version\":2}")));
        Assert.Equal(0, node.Calls);
    }

    [Fact]
    public async Task Bound_ThatThePolicyDoesNotName_IsAnHour()
    {
        var evidence = Evidence(StubNode.HashOf(10));
        var trust = Trust("{\"version\":1,\"tpm\":{}}");
        Assert.Null((await Find(evidence, Node(evidence, 12, (10, 1000), (12, 4600)), trust: trust)).Failure);
        Assert.NotNull((await Find(evidence, Node(evidence, 12, (10, 1000), (12, 4601)), trust: trust)).Failure);
    }
}
