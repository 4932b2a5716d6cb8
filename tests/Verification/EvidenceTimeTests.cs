using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Verification.Tests;

/// <summary>At which time evidence is judged.</summary>
public sealed class EvidenceTimeTests(Installation installation) : IClassFixture<Installation>
{
    private static readonly DateTimeOffset Now = new(2030, 1, 2, 3, 4, 5, TimeSpan.Zero);

    private readonly Noting _noting = new();

    [Fact]
    public void Bundle_WithoutATime_IsJudgedNow()
    {
        Assert.Empty(new BundleVerifier(Installation.Signatures, _noting, new Stopped()).Verify(installation.Bundle(installation.Second), installation.Trust));
        Assert.Equal([Now, Now], _noting.Asked.Select(asked => asked.At));
    }

    [Fact]
    public void Bundle_OfTwoEpochs_IsJudgedAtEachOnesTime()
    {
        var (first, second) = (installation.First.Epoch.Id, installation.Second.Epoch.Id);
        var verifier = new BundleVerifier(Installation.Signatures, _noting, new Stopped());
        Assert.Empty(verifier.Verify(installation.Bundle(installation.Second), installation.Trust, null, evidence => evidence.Epoch == first ? Now.AddDays(-2) : Now.AddDays(-1)));
        Assert.Equal([(first, Now.AddDays(-2)), (second, Now.AddDays(-1))], _noting.Asked);
    }

    [Fact]
    public void Registry_WithAndWithoutATime_PassesItOn()
    {
        var registry = new EpochRegistry(installation.LogId, Installation.ChainId, Installation.Contract, _noting, installation.Trust.Evidence, new Stopped());
        registry.Add(installation.First.Epoch.Evidence.Span);
        registry.Add(installation.Second.Epoch.Evidence.Span, Now.AddDays(-1));
        Assert.Equal([Now, Now.AddDays(-1)], _noting.Asked.Select(asked => asked.At));
    }

    private sealed class Noting : IEvidenceVerifier
    {
        public List<(Hash256 Epoch, DateTimeOffset At)> Asked { get; } = [];

        public IReadOnlyList<VerificationFailure> Verify(Evidence evidence, EvidenceTrust trust, DateTimeOffset at)
        {
            Asked.Add((evidence.Epoch, at));
            return Installation.EvidenceVerifier.Verify(evidence, trust, at);
        }
    }

    private sealed class Stopped : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }
}
