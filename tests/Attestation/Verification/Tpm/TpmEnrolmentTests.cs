using System.Security.Cryptography;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Tpm;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tpm;

/// <summary>Credential activation: the enrolling side's challenge, answered by the shim with a swtpm.</summary>
public sealed class TpmEnrolmentTests : IDisposable
{
    private static readonly byte[] Measured = SHA256.HashData("firmware"u8);

    private readonly SoftwareTpm? _tpm = SoftwareTpm.Missing is null ? New() : null;

    public void Dispose() => _tpm?.Dispose();

    [SoftwareTpmFact]
    public void Enrolment_OfTheTpmsOwnKey_IsAnsweredAndItsQuotesAreAccepted()
    {
        var data = Fresh();
        var document = _tpm!.Document(data);
        var context = Context(data, Policy());
        Assert.Equal([AttestationCheck.Key], TpmVerifier.Verify(document, context).Reasons.Select(reason => reason.Check));

        var enrolment = TpmEnrolment.Begin(document, context, out var result);

        Assert.Equal(AttestationStatus.Accepted, result.Status);
        Assert.True(enrolment!.Expectation.IsMetBy(_tpm.Answer(enrolment.Challenge)));
        Assert.Empty(TpmVerifier.Verify(document, Context(data, Policy() with { Keys = [enrolment.Expectation.KeyName] })).Reasons);
    }

    [SoftwareTpmFact]
    public void Enrolment_AnsweredByAnotherTpm_IsRefusedByIt()
    {
        using var other = New();
        var data = Fresh();
        var enrolment = TpmEnrolment.Begin(_tpm!.Document(data), Context(data, Policy()), out _);

        var failure = Assert.Throws<AttestationException>(() => other.Answer(enrolment!.Challenge));

        Assert.Equal(AttestationFailure.Refused, failure.Status);
    }

    // Somebody's software key with a genuine TPM's certificate beside it: all of the quote holds, and the TPM does not answer for it.
    [SoftwareTpmFact]
    public void Enrolment_OfAKeyThatIsNotInTheTpm_IsNotAnswered()
    {
        using var endorsement = _tpm!.EndorsementKey();
        var mock = new MockTpm();
        var forged = mock.Evidence() with { Endorsement = [mock.MakeEndorsement(endorsement), MockTpm.Root.RawData] };
        var enrolment = TpmEnrolment.Begin(forged.Encode(), MockTpm.Context(mock.Policy() with { Keys = [] }), out var result);

        Assert.Equal(AttestationStatus.Accepted, result.Status);
        Assert.Equal(AttestationFailure.Refused, Assert.Throws<AttestationException>(() => _tpm.Answer(enrolment!.Challenge)).Status);
    }

    [Fact]
    public void Enrolment_WithAnotherAnswer_IsRefused()
    {
        var mock = new MockTpm();
        var enrolment = TpmEnrolment.Begin(mock.Evidence().Encode(), MockTpm.Context(mock.Policy() with { Keys = [] }), out _);

        Assert.Equal(Convert.ToHexStringLower(mock.Name()), enrolment!.Expectation.KeyName);
        Assert.False(enrolment.Expectation.IsMetBy(new byte[32]));
        Assert.False(enrolment.Expectation.IsMetBy([]));
        Assert.True(enrolment.Challenge.Length is > 16 and <= 1024);
        Assert.Equal(enrolment.Expectation, TpmExpectation.Parse(enrolment.Expectation.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("000b00 00")]
    [InlineData("000bzz")]
    public void Expectation_ThatIsNone_IsRefused(string text) => Assert.Throws<FormatException>(() => TpmExpectation.Parse(text));

    [Fact]
    public void Enrolment_OfEvidenceThatIsNotAccepted_DoesNotBegin()
    {
        var mock = new MockTpm();
        var context = MockTpm.Context(mock.Policy());
        Assert.Null(TpmEnrolment.Begin(mock.Evidence().Encode(), context with { Nonce = new byte[32] }, out var result));
        Assert.Equal([AttestationCheck.Nonce], result.Reasons.Select(reason => reason.Check));

        Assert.Null(TpmEnrolment.Begin(new MockTpm { HasEndorsement = false }.Evidence().Encode(), MockTpm.Context(mock.Policy() with { RequireEndorsement = false }), out result));
        Assert.Equal([AttestationCheck.Chain], result.Reasons.Select(reason => reason.Check));
    }

    [Fact]
    public void Enrolment_OfWhatIsNoQuoteWithANamedKey_DoesNotBegin()
    {
        var policy = new MockTpm().Policy();
        foreach (var evidence in (byte[][])[[], new byte[100], new MockTpm { Form = TpmKeyForm.Bare }.Evidence().Encode(), new byte[TpmEvidence.LargestSize + 1]])
        {
            Assert.Null(TpmEnrolment.Begin(evidence, MockTpm.Context(policy), out var result));
            Assert.Equal(AttestationStatus.Refused, result.Status);
        }

        Assert.Null(TpmEnrolment.Begin(new MockTpm().Evidence().Encode(), MockTpm.Context(null), out _));
    }

    private static SoftwareTpm New()
    {
        var tpm = new SoftwareTpm();
        tpm.Extend(7, Measured);
        using var key = tpm.EndorsementKey();
        tpm.Endorse(new MockTpm().MakeEndorsement(key));
        return tpm;
    }

    private static byte[] Fresh() => [.. RandomNumberGenerator.GetBytes(32), .. new byte[32]];

    private static TpmPolicy Policy() => new()
    {
        Roots = [Convert.ToHexStringLower(SHA256.HashData(MockTpm.Root.RawData))],
        Registers = new Dictionary<int, IReadOnlyList<string>> { [7] = [Convert.ToHexStringLower(SHA256.HashData([.. new byte[32], .. Measured]))] },
    };

    private static VerificationContext Context(byte[] reportData, TpmPolicy policy)
    {
        var issuers = System.Text.Encoding.ASCII.GetBytes(MockTpm.Root.ExportCertificatePem());
        return MockTpm.Context(policy) with
        {
            Nonce = reportData.AsMemory(0, 32), ReportData = reportData, Collateral = new Dictionary<string, ReadOnlyMemory<byte>> { ["tpm-ek-issuers.pem"] = issuers },
        };
    }
}
