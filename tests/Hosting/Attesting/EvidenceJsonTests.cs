using System.Text.Json;
using OpenGradient.Engine.Attestation;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Host.Live;
using OpenGradient.Engine.Hosting.Attesting;

namespace OpenGradient.Engine.Hosting.Tests.Attesting;

/// <summary>What the page is told of evidence.</summary>
public sealed class EvidenceJsonTests
{
    private static readonly Hash256 Policy = Hash256.Sha256("policy"u8);

    private static JsonElement Write(EvidenceKind kind, IReadOnlyList<VerificationFailure> failures, string? mock = null)
    {
        var platform = kind == EvidenceKind.Software ? null : new AttestationResult
        {
            Status = AttestationStatus.Accepted, Reasons = [], Policy = Policy, At = DateTimeOffset.UnixEpoch,
            Claims = new AttestationClaims { Kind = "sev-snp", Product = "Genoa", IsDebug = false, Measurements = new Dictionary<string, string> { ["measurement"] = "0a" } },
        };
        var judged = new JudgedEpoch(new Evidence(kind, default, default), new EvidenceJudgement(kind, failures, platform), DateTimeOffset.UnixEpoch);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            EvidenceJson.Write(json, default, judged, mock);
            json.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.ToArray());
        return document.RootElement.GetProperty("evidence").Clone();
    }

    private static (string? Status, bool Trusted, string? Verdict) Of(JsonElement evidence) =>
        (evidence.GetProperty("status").GetString(), evidence.GetProperty("trusted").GetBoolean(), evidence.GetProperty("verdict").GetString());

    [Fact]
    public void Software_Accepted_IsForDevelopmentAndNotTrusted() =>
        Assert.Equal(("development", false, "development only: not trusted"), Of(Write(EvidenceKind.Software, [])));

    [Fact]
    public void Platform_Accepted_IsTrustedWithWhatWasMeasured()
    {
        var evidence = Write(EvidenceKind.SevSnp, []);
        Assert.Equal(("accepted", true, "accepted by this host's policy"), Of(evidence));
        Assert.Equal(("sev-snp", Policy.ToString()), (evidence.GetProperty("kind").GetString(), evidence.GetProperty("policy").GetString()));
        Assert.Equal("0a", evidence.GetProperty("measurements").GetProperty("measurement").GetString());
    }

    [Fact]
    public void Platform_OfMockHardware_IsNotTrusted()
    {
        var evidence = Write(EvidenceKind.Tpm, [], "mock hardware");
        Assert.Equal(("accepted", false, "accepted by this host's policy (mock hardware)"), Of(evidence));
        Assert.Equal("mock hardware", evidence.GetProperty("warning").GetString());
    }

    [Theory]
    [InlineData(VerificationReason.EvidenceRevoked, "refused")]
    [InlineData(VerificationReason.EvidenceUnverifiable, "unverifiable")]
    public void Platform_NotAccepted_SaysWhyAndIsNotTrusted(VerificationReason reason, string status)
    {
        var evidence = Write(EvidenceKind.SevSnp, [new(reason, "revocation: no list")]);
        Assert.Equal((status, false, $"{status}: revocation: no list"), Of(evidence));
        Assert.Equal((reason.Text(), "revocation: no list"), (evidence.GetProperty("reasons")[0].GetProperty("reason").GetString(), evidence.GetProperty("reasons")[0].GetProperty("detail").GetString()));
    }

    [Fact]
    public void Judgement_WithOneFailedAndOneUnmadeCheck_IsRefused() => Assert.Equal(
        AttestationStatus.Refused,
        new EvidenceJudgement(EvidenceKind.Tdx, [new(VerificationReason.EvidenceUnverifiable, "a"), new(VerificationReason.EvidenceOutOfTime, "b")], null).Status);
}
