using OpenGradient.Engine.Attestation.Tests.Verification;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Formats;
using static OpenGradient.Engine.Formats.VerificationReason;

namespace OpenGradient.Engine.Attestation.Tests;

/// <summary>Evidence of every platform's kind, judged as a statement's evidence is.</summary>
public sealed class PlatformTrustTests
{
    private static readonly EvidenceVerifier Verifier = new(Shim.Signatures);

    private static readonly EvidenceKind[] All = [EvidenceKind.Nitro, EvidenceKind.SevSnp, EvidenceKind.Tdx, EvidenceKind.Tpm];

    public static TheoryData<EvidenceKind> Kinds => [.. All];

    private static IEnumerable<VerificationReason> Reasons(Evidence evidence, EvidenceTrust trust, DateTimeOffset at) => Verifier.Verify(evidence, trust, at).Select(failure => failure.Reason).Distinct();

    [Theory, MemberData(nameof(Kinds))]
    public void Judge_RightEvidence_IsAcceptedWithItsClaims(EvidenceKind kind)
    {
        var right = PlatformCase.Of(kind);
        var judged = Verifier.Judge(right.Evidence(), right.Trust(), right.At);
        Assert.Empty(judged.Failures);
        Assert.Equal(AttestationStatus.Accepted, judged.Status);
        Assert.Equal(BoundEvidence.KindName(kind), judged.Platform!.Claims!.Kind);
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Verify_BindingWithoutANonce_IsJudgedWithoutOne(EvidenceKind kind)
    {
        var right = PlatformCase.Of(kind);
        Assert.Empty(Verifier.Verify(right.Evidence(PlatformCase.Binding with { Nonce = default }), right.Trust(), right.At));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Verify_DocumentOfAnotherBinding_IsNotForThisEpoch(EvidenceKind kind)
    {
        var right = PlatformCase.Of(kind);
        var other = right.Evidence(PlatformCase.Binding with { Nonce = new byte[32] });
        Assert.Equal([EvidenceNotForEpoch], Reasons(right.Evidence() with { Document = other.Document }, right.Trust(), right.At));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Verify_WithoutAPolicy_IsUnverifiable(EvidenceKind kind)
    {
        var right = PlatformCase.Of(kind);
        Assert.Equal([EvidenceUnverifiable], Reasons(right.Evidence(), right.Trust() with { Policy = default }, right.At));
        Assert.Equal([EvidenceUnverifiable], Reasons(right.Evidence(), right.Trust("{\"version\":2}"), right.At));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Verify_PolicyWithoutTheKindsSection_IsNotAccepted(EvidenceKind kind)
    {
        var right = PlatformCase.Of(kind);
        Assert.Equal([EvidenceKindNotAccepted], Reasons(right.Evidence(), right.Trust("{\"version\":1}"), right.At));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Verify_KindThatTheTrustDoesNotAccept_IsNotAcceptedWhateverThePolicySays(EvidenceKind kind)
    {
        var right = PlatformCase.Of(kind);
        Assert.Equal([EvidenceKindNotAccepted], Reasons(right.Evidence(), right.Trust() with { AcceptedKinds = new HashSet<EvidenceKind>() }, right.At));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Verify_SectionThatNamesNoMeasurement_IsNeverAccepted(EvidenceKind kind)
    {
        var right = PlatformCase.Of(kind);
        var policy = kind switch
        {
            EvidenceKind.Nitro => System.Text.RegularExpressions.Regex.Replace(right.Policy, ",\"pcrs\":\\{[^}]*\\}", ""),
            EvidenceKind.SevSnp => System.Text.RegularExpressions.Regex.Replace(right.Policy, ",\"measurements\":\\[[^\\]]*\\]", ""),
            EvidenceKind.Tdx => System.Text.RegularExpressions.Regex.Replace(right.Policy, ",\"mrtd\":\\[[^\\]]*\\]", ""),
            _ => System.Text.RegularExpressions.Regex.Replace(right.Policy, ",\"registers\":\\{[^}]*\\}", ""),
        };
        Assert.NotEqual(right.Policy, policy);
        var judged = Verifier.Judge(right.Evidence(), right.Trust(policy), right.At);
        // A TDX policy names every MRTD that it accepts, so that none named accepts none.
        var (reason, status) = kind == EvidenceKind.Tdx ? (EvidenceMeasurementNotTrusted, AttestationStatus.Refused) : (EvidenceUnverifiable, AttestationStatus.Unverifiable);
        Assert.Equal([reason], judged.Failures.Select(failure => failure.Reason).Distinct());
        Assert.Equal(status, judged.Status);
        Assert.All(judged.Failures, failure => Assert.StartsWith("measurement: ", failure.Detail));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Verify_LongAfterwards_IsOutOfTime(EvidenceKind kind)
    {
        var right = PlatformCase.Of(kind);
        Assert.Contains(EvidenceOutOfTime, Reasons(right.Evidence(), right.Trust(), right.At.AddYears(30)));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Verify_ForeignRoot_IsNotTrusted(EvidenceKind kind)
    {
        var right = PlatformCase.Of(kind);
        var policy = System.Text.RegularExpressions.Regex.Replace(right.Policy, "\"roots\":\\[\"[0-9a-f]{64}\"\\]", $"\"roots\":[\"{new string('0', 64)}\"]");
        Assert.Contains(EvidenceRootNotTrusted, Reasons(right.Evidence(), right.Trust(policy), right.At));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Verify_DocumentOfAnotherKind_IsNeverAccepted(EvidenceKind kind)
    {
        var right = PlatformCase.Of(kind);
        foreach (var other in All.Where(other => other != kind))
            Assert.NotEmpty(Verifier.Verify(right.Evidence() with { Document = PlatformCase.Of(other).Evidence().Document }, right.Trust(), right.At));
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Envelope_WithTheChallengersNonce_IsAcceptedAndWithAnotherRefused(EvidenceKind kind)
    {
        var right = PlatformCase.Of(kind);
        var context = new VerificationContext { At = right.At, Policy = Attestation.Verification.Policy.EvidencePolicy.Parse(right.Trust().Policy), Collateral = right.Collateral };
        Assert.Equal(AttestationStatus.Accepted, BoundEvidence.Verify(right.Evidence(), context with { Nonce = PlatformCase.Binding.Nonce }).Status);
        var refused = BoundEvidence.Verify(right.Evidence(), context with { Nonce = new byte[32] });
        Assert.Equal((AttestationStatus.Refused, AttestationCheck.Nonce), (refused.Status, refused.Reasons[0].Check));
        Assert.Equal(AttestationCheck.Nonce, Assert.Single(BoundEvidence.Verify(right.Evidence(), context with { Nonce = ReadOnlyMemory<byte>.Empty }).Reasons).Check);
    }

    [Fact]
    public void Envelope_OfSoftware_IsUnverifiableByAPolicy()
    {
        var evidence = PlatformCase.Of(EvidenceKind.Tpm).Evidence() with { Kind = EvidenceKind.Software };
        var result = BoundEvidence.Verify(evidence, new VerificationContext { At = DateTimeOffset.UnixEpoch, Policy = new Attestation.Verification.Policy.EvidencePolicy() });
        Assert.Equal(AttestationStatus.Unverifiable, result.Status);
    }
}
