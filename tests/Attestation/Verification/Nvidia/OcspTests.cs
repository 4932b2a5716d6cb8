using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Attestation.Tests.Verification.Nitro;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.History;
using OpenGradient.Engine.Attestation.Verification.Nvidia;
using OpenGradient.Engine.Attestation.Verification.Pki;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Nvidia;

/// <summary>OCSP answers about the certificates of device and manifests; everything else is right.</summary>
public sealed class OcspTests
{
    private const string Name = "ocsp-boot.der", Nonce = "1.3.6.1.5.5.7.48.1.2";

    private static readonly MockAnswer Right = MockVendor.RightAnswers[Name];

    private static readonly MockCertificate Responder = MockDevice.Maker.Issue("responder", MockAnswer.ResponderShape(MockAnswer.Signing));

    private static readonly MockAnswer Delegated = Right with { Responder = Responder };

    private static AttestationResult With(MockAnswer answer, NvidiaPolicy? policy = null) => With(answer.Bytes(), policy);

    private static AttestationResult With(byte[] answer, NvidiaPolicy? policy = null) => MockVendor.Right.With(Name, answer).Verify(policy);

    public static TheoryData<string> Names => [.. MockVendor.RightAnswers.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Verify_AnswerMissing_IsUnverifiable(string name)
    {
        Judged.UnverifiableFor(AttestationCheck.Revocation, MockVendor.Right.Without(name).Verify());
        Judged.Accepted(MockVendor.Right.Without(name).Verify(MockVendor.Policy with { RequireRevocation = false }));
    }

    [Theory, MemberData(nameof(Names))]
    public void Verify_RevokedCertificate_IsRefusedAsRevoked(string name)
    {
        var vendor = MockVendor.Right.With(name, (MockVendor.RightAnswers[name] with { State = 1 }).Bytes());
        Judged.RefusedFor(AttestationCheck.Revoked, vendor.Verify());
        Judged.RefusedFor(AttestationCheck.Revoked, vendor.Verify(MockVendor.Policy with { RequireRevocation = false }));
    }

    [Fact]
    public void Verify_CertificateThatTheResponderDoesNotKnow_IsRefusedForRevocation() => Judged.RefusedFor(AttestationCheck.Revocation, With(Right with { State = 2 }));

    [Theory]
    [InlineData("SHA1")]
    [InlineData("SHA256")]
    [InlineData("SHA384")]
    [InlineData("SHA512")]
    public void Verify_CertificateNamedByAnyDigest_IsAccepted(string hash) => Judged.Accepted(With(Right with { Hash = new HashAlgorithmName(hash) }));

    [Fact]
    public void Verify_AnswerOfTheIssuerOrOfItsResponder_IsAccepted()
    {
        Judged.Accepted(With(Right with { IsByName = true }));
        Judged.Accepted(With(Delegated));
        Judged.Accepted(With(Delegated with { IsByName = true }));
        Judged.Accepted(With(Right with { Extension = (Nonce, true) }));
        Judged.Accepted(With(Right with { StatusExtension = ("1.2.3", false) }));
    }

    [Fact]
    public void Verify_AnswerAboutAnotherCertificate_IsUnverifiable()
    {
        Judged.UnverifiableFor(AttestationCheck.Revocation, With(Right with { Subject = MockDevice.Leaf }));
        Judged.UnverifiableFor(AttestationCheck.Revocation, With(Right with { Issuer = MockCertificate.Root("maker") }));
        Judged.UnverifiableFor(AttestationCheck.Revocation, With(Right with { HashIdentifier = "1.2.3" }));
    }

    [Fact]
    public void Verify_AnswerSignedByAnotherKey_IsRefusedForRevocation()
    {
        Judged.RefusedFor(AttestationCheck.Revocation, With(Right with { Signer = MockDevice.Boot }));
        Judged.RefusedFor(AttestationCheck.Revocation, With(Delegated with { Signer = MockDevice.Boot }));
        Judged.RefusedFor(AttestationCheck.Revocation, With(Delegated with { HasCertificate = false }));
        // Its own certificate's key says nothing of it.
        Judged.RefusedFor(AttestationCheck.Revocation, With(Right with { Responder = MockDevice.Boot }));
    }

    [Fact]
    public void Verify_ResponderThatTheIssuerDidNotAppoint_IsRefusedForRevocation()
    {
        AttestationResult By(MockCertificate responder) => With(Right with { Responder = responder });
        var shape = MockAnswer.ResponderShape(MockAnswer.Signing);
        Judged.RefusedFor(AttestationCheck.Revocation, By(MockDevice.Maker.Issue("responder", MockAnswer.ResponderShape())));
        Judged.RefusedFor(AttestationCheck.Revocation, By(MockDevice.Maker.Issue("responder", MockAnswer.ResponderShape("1.3.6.1.5.5.7.3.1"))));
        Judged.RefusedFor(AttestationCheck.Revocation, By(MockDevice.Root.Issue("responder", shape)));
        Judged.RefusedFor(AttestationCheck.Revocation, By(MockDevice.Boot.Issue("responder", shape)));
        Judged.RefusedFor(AttestationCheck.Revocation, By(MockManifest.Maker.Issue("responder", shape)));
        Judged.RefusedFor(AttestationCheck.Revocation, By(MockDevice.Maker.Issue("responder", shape with { Until = MockDevice.At.AddSeconds(-1) })));
        Judged.RefusedFor(AttestationCheck.Revocation, By(MockDevice.Maker.Issue("responder", shape with { IsAuthority = true, Usage = X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.DigitalSignature })));
    }

    [Fact]
    public void Verify_DeniedResponder_IsRefusedAsRevoked()
    {
        using var responder = X509CertificateLoader.LoadCertificate(Responder.Der);
        var context = MockVendor.Right.With(Name, Delegated.Bytes()).Context();
        var denied = new DenyList([(Convert.ToHexStringLower(SHA256.HashData(responder.IssuerName.RawData)), Convert.ToHexStringLower(responder.SerialNumberBytes.Span))]);
        Judged.RefusedFor(AttestationCheck.Revoked, NvidiaVerifier.Verify(MockVendor.Device.Report(), context with { Policy = context.Policy with { Denied = denied } }));
    }

    [Fact]
    public void Verify_AnswerAtTheEdgesOfItsTime_HoldsAndNotASecondOutside()
    {
        var (at, second) = (MockDevice.At, TimeSpan.FromSeconds(1));
        Judged.Accepted(With(Right with { ThisUpdate = at }));
        Judged.Accepted(With(Right with { NextUpdate = at }));
        Judged.Accepted(With(Right with { ProducedAt = at }));
        Judged.RefusedFor(AttestationCheck.Revocation, With(Right with { ThisUpdate = at + second }));
        Judged.RefusedFor(AttestationCheck.Revocation, With(Right with { NextUpdate = at - second }));
        Judged.RefusedFor(AttestationCheck.Revocation, With(Right with { ProducedAt = at + second }));
    }

    [Fact]
    public void Verify_AnswerWithoutNextUpdate_HoldsAsLongAsThePolicySays()
    {
        var answer = Right with { NextUpdate = null };
        Judged.RefusedFor(AttestationCheck.Revocation, With(answer));
        Judged.Accepted(With(answer, MockVendor.Policy with { RevocationAge = TimeSpan.FromHours(1) }));
        Judged.RefusedFor(AttestationCheck.Revocation, With(answer, MockVendor.Policy with { RevocationAge = TimeSpan.FromSeconds(3599) }));
    }

    [Fact]
    public void Verify_TwoAnswersAboutOneCertificate_AreRefusedForRevocation()
    {
        Judged.RefusedFor(AttestationCheck.Revocation, MockVendor.Right.With("ocsp-again.der", Right.Bytes()).Verify());
        Judged.RefusedFor(AttestationCheck.Revocation, With(Right with { Statuses = 2 }));
    }

    [Fact]
    public void Verify_AnswerOlderThanOneSeenBefore_IsRefusedForRevocation()
    {
        var history = new CollateralLedger();
        AttestationResult Seen(MockAnswer answer) => NvidiaVerifier.Verify(MockVendor.Device.Report(), MockVendor.Right.With(Name, answer.Bytes()).Context() with { History = history });
        Judged.Accepted(Seen(Right));
        Judged.Accepted(Seen(Right));
        Judged.RefusedFor(AttestationCheck.Revocation, Seen(Right with { ThisUpdate = Right.ThisUpdate.AddSeconds(-1) }));
        // One that is not authentic is not remembered.
        Judged.RefusedFor(AttestationCheck.Revocation, Seen(Right with { ThisUpdate = MockDevice.At, Signer = MockDevice.Boot }));
        Judged.Accepted(Seen(Right));
    }

    [Fact]
    public void Verify_AnswerToTheNonceThatWasSent_IsAccepted()
    {
        byte[] longest = [.. Enumerable.Range(0, 128).Select(index => (byte)index)];
        Judged.Accepted(To([7], Right.To(7)));
        Judged.Accepted(To(longest, Right.To(longest)));
        Judged.Accepted(To([7], Delegated.To(7)));
        // Whoever sent none, or keeps it, says nothing of it: time is what bounds the answer then.
        Judged.Accepted(With(Right.To(7)));
        // Of another answer.
        Judged.Accepted(MockVendor.Right.With("ocsp-maker.der", MockVendor.RightAnswers["ocsp-maker.der"].To(8).Bytes()).With("ocsp-maker.der.nonce", [8]).Verify());
    }

    [Fact]
    public void Verify_AnswerToAnotherNonceOrToNone_IsRefusedForRevocation()
    {
        Judged.RefusedFor(AttestationCheck.Revocation, To([7], Right.To(8)));
        Judged.RefusedFor(AttestationCheck.Revocation, To([7], Right.To(7, 0)));
        Judged.RefusedFor(AttestationCheck.Revocation, To([7], Right));
        Judged.RefusedFor(AttestationCheck.Revocation, To([], Right));
        Judged.RefusedFor(AttestationCheck.Revocation, To([], Right.To(7)));
        // A waived requirement waives what is missing, not what is there.
        Judged.RefusedFor(AttestationCheck.Revocation, To([7], Right.To(8), MockVendor.Policy with { RequireRevocation = false }));
        // In the extension of a status nonces have no meaning.
        Judged.RefusedFor(AttestationCheck.Revocation, To([1], Right with { StatusExtension = (Nonce, false) }));
    }

    [Fact]
    public void Verify_NonceOfNoAnswer_IsRefusedForRevocation()
    {
        Judged.RefusedFor(AttestationCheck.Revocation, MockVendor.Right.With("ocsp-boot.nonce", [7]).Verify());
        Judged.RefusedFor(AttestationCheck.Revocation, MockVendor.Right.With("ocsp.nonce", [7]).Verify());
    }

    private static AttestationResult To(byte[] sent, MockAnswer answer, NvidiaPolicy? policy = null) => MockVendor.Right.With(Name, answer.Bytes()).With(Name + ".nonce", sent).Verify(policy);

    public static TheoryData<string> Forms =>
    [
        "empty", "truncated", "trailing", "status", "type", "state", "critical extension", "critical nonce of a status", "no status", "many statuses", "large",
        "empty nonce", "long nonce", "bare nonce", "trailing nonce",
    ];

    [Theory, MemberData(nameof(Forms))]
    public void Verify_AnswerOfAnotherForm_IsRefusedAlsoForRevocation(string how)
    {
        // About another certificate, so that it is passed over where it can be read, beside the right one, so that nothing is missing.
        var right = Right with { Subject = MockDevice.Leaf };
        AttestationResult Beside(byte[] answer) => MockVendor.Right.With("ocsp-again.der", answer).Verify();
        Judged.Accepted(Beside(right.Bytes()));
        byte[] spoiled = how switch
        {
            "empty" => [],
            "truncated" => right.Bytes()[..^1],
            "trailing" => [.. right.Bytes(), 0],
            "status" => (right with { Outer = 3 }).Bytes(),
            "type" => (right with { Type = "1.2.3" }).Bytes(),
            "state" => (right with { State = 3 }).Bytes(),
            "critical extension" => (right with { Extension = ("1.2.3", true) }).Bytes(),
            "critical nonce of a status" => (right with { StatusExtension = (Nonce, true) }).Bytes(),
            "no status" => (right with { Statuses = 0 }).Bytes(),
            "many statuses" => (right with { Statuses = 65 }).Bytes(),
            "empty nonce" => right.To().Bytes(),
            "long nonce" => right.To(new byte[129]).Bytes(),
            "bare nonce" => (right.To() with { ExtensionValue = [7] }).Bytes(),
            "trailing nonce" => (right.To() with { ExtensionValue = [4, 1, 7, 0] }).Bytes(),
            _ => new byte[64 * 1024 + 1],
        };
        Judged.RefusedFor(AttestationCheck.Revocation, Beside(spoiled));
    }

    [Fact]
    public void Verify_ManyAnswers_AreRefusedForRevocation()
    {
        var vendor = MockVendor.Right;
        var other = (Right with { Subject = MockDevice.Leaf }).Bytes();
        for (var i = 0; i < 28; i++) vendor = vendor.With($"ocsp-{i}.der", other);
        Judged.Accepted(vendor.Verify());
        Judged.RefusedFor(AttestationCheck.Revocation, vendor.With("ocsp-z.der", other).Verify());
    }
}
