using System.Security.Cryptography;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Tpm;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tpm;

/// <summary>Credential activation: the enrolling side's challenge, answered by the shim with a swtpm.</summary>
public sealed class TpmEnrolmentTests
{
    private static readonly byte[] Measured = SHA256.HashData("firmware"u8);

    [SoftwareTpmTheory, InlineData(false), InlineData(true)]
    public void Enrolment_OfTheTpmsOwnKey_IsAnsweredAndItsQuotesAreAccepted(bool isOnCurve)
    {
        using var tpm = New(isOnCurve);
        var data = Fresh();
        var document = tpm.Document(data);
        var context = Context(data, Policy());
        Assert.Equal([AttestationCheck.Key], TpmVerifier.Verify(document, context).Reasons.Select(reason => reason.Check));

        var enrolment = TpmEnrolment.Begin(document, context, out var result);

        Assert.Equal(AttestationStatus.Accepted, result.Status);
        Assert.True(enrolment!.Expectation.IsMetBy(tpm.Answer(enrolment.Challenge)));
        Assert.Empty(TpmVerifier.Verify(document, Context(data, Policy() with { Keys = [enrolment.Expectation.KeyName] })).Reasons);
    }

    [SoftwareTpmTheory, InlineData(false), InlineData(true)]
    public void Enrolment_AnsweredByAnotherTpm_IsRefusedByIt(bool isOnCurve)
    {
        using var tpm = New(isOnCurve);
        using var other = New(isOnCurve);
        var data = Fresh();
        var enrolment = TpmEnrolment.Begin(tpm.Document(data), Context(data, Policy()), out _);

        var failure = Assert.Throws<AttestationException>(() => other.Answer(enrolment!.Challenge));

        Assert.Equal(AttestationFailure.Refused, failure.Status);
    }

    // Somebody's software key with a genuine TPM's certificate beside it: all of the quote holds, and the TPM does not answer for it.
    [SoftwareTpmTheory, InlineData(false), InlineData(true)]
    public void Enrolment_OfAKeyThatIsNotInTheTpm_IsNotAnswered(bool isOnCurve)
    {
        using var tpm = New(isOnCurve);
        using var endorsement = tpm.EndorsementKey(isOnCurve);
        var mock = new MockTpm();
        var forged = mock.Evidence() with { Endorsement = [mock.MakeEndorsement(endorsement), MockTpm.Root.RawData] };
        var enrolment = TpmEnrolment.Begin(forged.Encode(), MockTpm.Context(mock.Policy() with { Keys = [] }), out var result);

        Assert.Equal(AttestationStatus.Accepted, result.Status);
        Assert.Equal(AttestationFailure.Refused, Assert.Throws<AttestationException>(() => tpm.Answer(enrolment!.Challenge)).Status);
    }

    // A TPM with both certificates is enrolled by that of its RSA key, as before it had two.
    [SoftwareTpmFact]
    public void Evidence_OfATpmWithBothCertificates_CarriesTheRsaKeys()
    {
        using var tpm = New(isOnCurve: true);
        using var key = tpm.EndorsementKey();
        var certificate = new MockTpm().MakeEndorsement(key);
        tpm.Endorse(certificate);

        Assert.Equal(certificate, Assert.Single(TpmEvidence.Decode(tpm.Document(Fresh())).Endorsement));
    }

    // What a TPM does with the challenge (Part 1, 24 and C.6), by the private key that nobody has of a real one.
    [Fact]
    public void Enrolment_ForAKeyOnACurve_IsOpenedByThatKeyAndBoundToTheName()
    {
        var mock = new MockTpm { IsEndorsedOnCurve = true };
        var enrolment = TpmEnrolment.Begin(mock.Evidence().Encode(), MockTpm.Context(mock.Policy() with { Keys = [] }), out _)!;

        Assert.True(enrolment.Expectation.IsMetBy(Opened(enrolment.Challenge, MockTpm.CurveEndorsementKey, mock.Name())!));
        Assert.Null(Opened(enrolment.Challenge, MockTpm.CurveEndorsementKey, [0, 0x0b, .. new byte[32]]));
        using var other = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256);
        Assert.Null(Opened(enrolment.Challenge, other, mock.Name()));
    }

    [Fact]
    public void Enrolment_OfAnEndorsementKeyOfAnotherTemplate_DoesNotBegin()
    {
        using var rsa = RSA.Create(3072);
        using var curve = ECDiffieHellman.Create(ECCurve.NamedCurves.nistP384);
        foreach (var key in (AsymmetricAlgorithm[])[rsa, curve])
        {
            var mock = new MockTpm();
            var evidence = mock.Evidence() with { Endorsement = [mock.MakeEndorsement(key), MockTpm.Root.RawData] };
            Assert.Empty(TpmVerifier.Verify(evidence.Encode(), MockTpm.Context(mock.Policy())).Reasons);

            Assert.Null(TpmEnrolment.Begin(evidence.Encode(), MockTpm.Context(mock.Policy()), out var result));
            Assert.Equal((AttestationStatus.Refused, AttestationCheck.Key), (result.Status, Assert.Single(result.Reasons).Check));
        }
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

    private static SoftwareTpm New(bool isOnCurve)
    {
        var tpm = new SoftwareTpm();
        tpm.Extend(7, Measured);
        using var key = tpm.EndorsementKey(isOnCurve);
        tpm.Endorse(new MockTpm().MakeEndorsement(key), isOnCurve);
        return tpm;
    }

    // Null: the credential is not for this key and this name.
    private static byte[]? Opened(ReadOnlyMemory<byte> challenge, ECDiffieHellman endorsement, byte[] name)
    {
        var bytes = challenge.ToArray();
        byte[] mac = bytes[20..52], hidden = bytes[52..86], x = bytes[90..122], y = bytes[124..];
        using var ephemeral = ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } });
        var shared = endorsement.DeriveRawSecretAgreement(ephemeral.PublicKey);
        var seed = TpmKeyDerivation.KdfE(shared, "IDENTITY"u8, x, endorsement.ExportParameters(false).Q.X, 256);
        byte[] covered = [.. hidden, .. name], padded = [.. hidden, .. new byte[48 - hidden.Length]];
        if (!mac.AsSpan().SequenceEqual(HMACSHA256.HashData(TpmKeyDerivation.KdfA(seed, "INTEGRITY"u8, [], 256), covered))) return null;
        using var aes = Aes.Create();
        aes.Key = TpmKeyDerivation.KdfA(seed, "STORAGE"u8, name, 128);
        var plain = aes.DecryptCfb(padded, new byte[16], PaddingMode.None, 128);
        Assert.Equal((0, 32), (plain[0], plain[1]));
        return plain[2..34];
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
