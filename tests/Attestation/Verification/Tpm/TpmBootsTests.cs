using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.History;
using OpenGradient.Engine.Attestation.Verification.Tpm;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tpm;

/// <summary>Counts of starts over several quotes of one TPM.</summary>
public sealed class TpmBootsTests
{
    private readonly CollateralLedger _history = new();

    [Fact]
    public void Boots_OfATpmSeenBefore_SayWhetherItWasStartedAnew()
    {
        var first = Judge(5, 0);
        Assert.Empty(first.Reasons);
        Assert.Equal(new BootClaim(5, 0, 77, null), first.Claims!.Boot);
        Assert.False(Judge(5, 0).Claims!.Boot!.IsStartedAnew);
        Assert.True(Judge(5, 1).Claims!.Boot!.IsStartedAnew);
        Assert.True(Judge(6, 0).Claims!.Boot!.IsStartedAnew);
        Assert.False(Judge(6, 0).Claims!.Boot!.IsStartedAnew);
    }

    [Theory]
    [InlineData(4u, 9u)]
    [InlineData(5u, 1u)]
    public void Boots_FewerThanSeen_AreRefusedForTheirTimeAlone(uint resets, uint restarts)
    {
        Assert.Empty(Judge(5, 2).Reasons);

        var result = Judge(resets, restarts);

        Assert.Equal(AttestationStatus.Refused, result.Status);
        Assert.Equal([AttestationCheck.Time], result.Reasons.Select(reason => reason.Check));
        Assert.Empty(Judge(5, 2).Reasons);
    }

    [Fact]
    public void Boots_OfEvidenceThatIsNotAccepted_AreNotRemembered()
    {
        var stranger = new MockTpm { Resets = 900 };
        var policy = stranger.Policy() with { Keys = ["000b" + new string('0', 64)] };
        Assert.Equal(AttestationStatus.Refused, TpmVerifier.Verify(stranger.Evidence().Encode(), MockTpm.Context(policy) with { History = _history }).Status);

        Assert.Equal("", _history.Save());
        Assert.Empty(Judge(5, 0).Reasons);
    }

    [Fact]
    public void Boots_AfterTheHistoryWasSaved_AreKnownStill()
    {
        Assert.Empty(Judge(5, 3).Reasons);
        var again = CollateralLedger.Load(_history.Save());

        var result = Judge(5, 2, again);

        Assert.Equal([AttestationCheck.Time], result.Reasons.Select(reason => reason.Check));
        Assert.True(Judge(7, 0, again).Claims!.Boot!.IsStartedAnew);
    }

    private AttestationResult Judge(uint resets, uint restarts, CollateralLedger? history = null)
    {
        var tpm = new MockTpm { Resets = resets, Restarts = restarts };
        return TpmVerifier.Verify(tpm.Evidence().Encode(), MockTpm.Context(tpm.Policy()) with { History = history ?? _history });
    }
}
