using System.Security.Cryptography;
using OpenGradient.Engine.Attestation.Verification;
using OpenGradient.Engine.Attestation.Verification.Pki;
using OpenGradient.Engine.Attestation.Verification.Policy;
using OpenGradient.Engine.Attestation.Verification.Tpm;
using static OpenGradient.Engine.Attestation.Tests.Verification.Tpm.MockTpm;

namespace OpenGradient.Engine.Attestation.Tests.Verification.Tpm;

/// <summary>Each check fails alone; the mock signs what has to be signed again.</summary>
public sealed class TpmVerifierTests
{
    private static readonly MockTpm Good = new();

    private static AttestationResult Judge(TpmEvidence evidence, TpmPolicy? policy = null) => TpmVerifier.Verify(evidence.Encode(), Context(policy ?? Good.Policy()));

    private static void AssertRefused(AttestationCheck check, AttestationResult result)
    {
        Assert.Equal(AttestationStatus.Refused, result.Status);
        Assert.All(result.Reasons, reason => Assert.True(reason.Check == check, $"{reason.Check}: {reason.Detail}"));
    }

    private static void AssertUnverifiable(AttestationCheck check, AttestationResult result)
    {
        Assert.Equal(AttestationStatus.Unverifiable, result.Status);
        Assert.Equal([check], result.Reasons.Select(reason => reason.Check));
    }

    [Theory]
    [InlineData(MockScheme.EcdsaP256, 0x000b)]
    [InlineData(MockScheme.EcdsaP384, 0x000c)]
    [InlineData(MockScheme.RsaSsa, 0x000b)]
    [InlineData(MockScheme.RsaSsa, 0x000d)]
    [InlineData(MockScheme.RsaPss, 0x000b)]
    [InlineData(MockScheme.RsaPss, 0x000c)]
    public void Verify_EveryScheme_IsAccepted(MockScheme scheme, int hash)
    {
        var tpm = new MockTpm { Scheme = scheme, Hash = (ushort)hash };
        var result = tpm.Verify();
        Assert.Empty(result.Reasons);
        Assert.Equal(AttestationStatus.Accepted, result.Status);
        Assert.Equal(Nonce, result.Claims!.ReportData.ToArray());
        Assert.Equal(3, result.Claims.Measurements.Count);
        Assert.Equal(SHA256.HashData(tpm.Quote()), result.Identity!.Value.Bytes.ToArray());
    }

    [Fact]
    public void Verify_PssWithTheLongestSalt_IsAccepted()
    {
        var tpm = new MockTpm { Scheme = MockScheme.RsaPss };
        var evidence = tpm.Evidence();
        evidence = evidence with { Signature = SignWithLongestSalt(evidence.Quote.ToArray()) };
        Assert.Empty(Judge(evidence, tpm.Policy()).Reasons);
        BitFlips.AssertNoneAccepted(evidence.Encode(), Context(tpm.Policy()), seed: 43);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Verify_ChildOfTheEndorsementKey_IsAccepted(bool isOnCurve)
    {
        var child = new MockTpm { IsPrimary = false, IsEndorsedOnCurve = isOnCurve };
        Assert.Empty(child.Verify().Reasons);
        var other = child.Evidence() with { Endorsement = [(child with { IsEndorsedOnCurve = !isOnCurve }).MakeEndorsement(), MockTpm.Root.RawData] };
        AssertRefused(AttestationCheck.Key, TpmVerifier.Verify(other.Encode(), Context(child.Policy())));
    }

    [Fact]
    public void Verify_KindNotInThePolicy_IsRefused() => AssertRefused(AttestationCheck.Kind, TpmVerifier.Verify(Good.Evidence().Encode(), Context(null)));

    [Fact]
    public void Verify_TooLarge_IsRefusedUnread() => AssertRefused(AttestationCheck.Size, TpmVerifier.Verify(new byte[TpmEvidence.LargestSize + 1], Context(Good.Policy())));

    [Fact]
    public void Verify_EnvelopeTruncatedAnywhereOrTrailing_IsEncoding()
    {
        var whole = Good.Evidence().Encode();
        for (var size = 0; size < whole.Length; size++) AssertRefused(AttestationCheck.Encoding, TpmVerifier.Verify(whole.AsMemory(0, size), Context(Good.Policy())));
        AssertRefused(AttestationCheck.Encoding, TpmVerifier.Verify((byte[])[.. whole, 0], Context(Good.Policy())));
    }

    [Fact]
    public void Verify_AnotherMagic_IsVersion() => AssertRefused(AttestationCheck.Version, new MockTpm { Magic = 0xff544348 }.Verify());

    [Fact]
    public void Verify_CertifyInsteadOfQuote_IsVersion() => AssertRefused(AttestationCheck.Version, new MockTpm { Type = 0x8017 }.Verify());

    [Fact]
    public void Verify_SignedTrailingBytes_AreEncoding() => AssertRefused(AttestationCheck.Encoding, new MockTpm { Trailing = [0] }.Verify());

    [Fact]
    public void Verify_SafeNeitherYesNorNo_IsEncoding() => AssertRefused(AttestationCheck.Encoding, new MockTpm { Safe = 2 }.Verify());

    [Fact]
    public void Verify_Sha1_IsVersion() => AssertRefused(AttestationCheck.Version, new MockTpm { Scheme = MockScheme.RsaSsa, Hash = 0x0004 }.Verify());

    [Fact]
    public void Verify_SignatureOfAnotherQuote_IsSignature()
    {
        var result = Judge(Good.Evidence() with { Signature = Good.Sign(new MockTpm { Resets = 6 }.Quote()) });
        AssertRefused(AttestationCheck.Signature, result);
        Assert.Null(result.Claims);
    }

    [Fact]
    public void Verify_ZeroSignature_IsSignature()
    {
        var signature = Good.Evidence().Signature.ToArray();
        signature.AsSpan(6, 32).Clear();
        signature.AsSpan(40, 32).Clear();
        AssertRefused(AttestationCheck.Signature, Judge(Good.Evidence() with { Signature = signature }));
    }

    [Fact]
    public void Verify_SchemeOtherThanTheKeys_IsSignature()
    {
        var (ssa, pss) = (new MockTpm { Scheme = MockScheme.RsaSsa }, new MockTpm { Scheme = MockScheme.RsaPss });
        var evidence = ssa.Evidence();
        AssertRefused(AttestationCheck.Signature, Judge(evidence with { Signature = pss.Sign(evidence.Quote.ToArray()) }, ssa.Policy()));
    }

    [Theory]
    [InlineData(0x00040072u)] // not restricted
    [InlineData(0x00010072u)] // does not sign
    [InlineData(0x00050070u)] // not fixed to the TPM
    [InlineData(0x00050062u)] // not fixed to its parent
    [InlineData(0x00050052u)] // its secret came from outside
    [InlineData(0x00070072u)] // decrypts too
    public void Verify_AttributesOfAnotherKey_AreKey(uint attributes) => AssertRefused(AttestationCheck.Key, new MockTpm { Attributes = attributes }.Verify());

    [Fact]
    public void Verify_ReservedAttribute_IsReserved() => AssertRefused(AttestationCheck.Reserved, new MockTpm { Attributes = 0x80050072 }.Verify());

    [Fact]
    public void Verify_KeyThatWasNotEnrolled_IsKey() =>
        AssertRefused(AttestationCheck.Key, Judge(new MockTpm { Scheme = MockScheme.RsaSsa }.Evidence()));

    [Fact]
    public void Verify_NoKeyEnrolled_IsUnverifiable() => AssertUnverifiable(AttestationCheck.Key, Judge(Good.Evidence(), Good.Policy() with { Keys = [] }));

    [Fact]
    public void Verify_SignerOfAnotherHierarchy_IsKey() =>
        AssertRefused(AttestationCheck.Key, new MockTpm { QualifiedSigner = [0, 0x0b, .. SHA256.HashData("owner"u8)] }.Verify());

    [Fact]
    public void Verify_BareKey_NeedsToBeVouchedFor()
    {
        var bare = new MockTpm { Form = TpmKeyForm.Bare, HasEndorsement = false };
        AssertUnverifiable(AttestationCheck.Key, Judge(bare.Evidence()));
        AssertRefused(AttestationCheck.Key, Judge(bare.Evidence(), Good.Policy() with { VouchedKeys = [new string('0', 64)] }));
        Assert.Empty(Judge(bare.Evidence(), Good.Policy() with { VouchedKeys = [Convert.ToHexStringLower(SHA256.HashData(bare.Bare()))] }).Reasons);
    }

    [Fact]
    public void Verify_NoEndorsement_IsUnverifiableUnlessThePolicyAsksForNone()
    {
        var evidence = new MockTpm { HasEndorsement = false }.Evidence();
        AssertUnverifiable(AttestationCheck.Chain, Judge(evidence));
        Assert.Empty(Judge(evidence, Good.Policy() with { RequireEndorsement = false }).Reasons);
    }

    [Fact]
    public void Verify_RootOfAnotherMaker_IsRoot() => AssertRefused(AttestationCheck.Root, Judge(Good.Evidence(), Good.Policy() with { Roots = new TpmPolicy().Roots }));

    [Fact]
    public void Verify_EndorsementForAnotherUsage_IsChain()
    {
        var tpm = new MockTpm { Usage = "1.3.6.1.5.5.7.3.1" };
        AssertRefused(AttestationCheck.Chain, Judge(tpm.Evidence(), tpm.Policy()));
    }

    [Fact]
    public void Verify_EndorsementOutOfDate_IsChainTime()
    {
        var tpm = new MockTpm { EndorsementEnds = At.AddDays(-1) };
        AssertRefused(AttestationCheck.ChainTime, tpm.Verify());
    }

    [Fact]
    public void Verify_EndorsementDenied_IsRevoked()
    {
        var issuer = Convert.ToHexStringLower(SHA256.HashData(Root.SubjectName.RawData));
        var context = Context(Good.Policy());
        context = context with { Policy = context.Policy with { Denied = new DenyList([(issuer, "010203")]) } };
        AssertRefused(AttestationCheck.Revoked, TpmVerifier.Verify(Good.Evidence().Encode(), context));
    }

    [Fact]
    public void Verify_IssuersFromCollateral_AreUsed()
    {
        var evidence = Good.Evidence();
        evidence = evidence with { Endorsement = [evidence.Endorsement[0]] };
        var pem = System.Text.Encoding.ASCII.GetBytes(Root.ExportCertificatePem());
        var context = Context(Good.Policy()) with { Collateral = new Dictionary<string, ReadOnlyMemory<byte>> { ["tpm-ek-issuers.pem"] = pem } };
        Assert.Empty(TpmVerifier.Verify(evidence.Encode(), context).Reasons);
        Assert.Equal(AttestationStatus.Refused, Judge(evidence).Status);
        context = context with { Collateral = new Dictionary<string, ReadOnlyMemory<byte>> { ["tpm-ek-issuers.pem"] = new byte[70000] } };
        AssertRefused(AttestationCheck.Size, TpmVerifier.Verify(evidence.Encode(), context));
    }

    [Fact]
    public void Verify_AnotherNonce_IsNonce() =>
        AssertRefused(AttestationCheck.Nonce, TpmVerifier.Verify(Good.Evidence().Encode(), Context(Good.Policy()) with { Nonce = new byte[32] }));

    [Fact]
    public void Verify_EmptyNonceAsked_IsNonce() =>
        AssertRefused(AttestationCheck.Nonce, TpmVerifier.Verify(new MockTpm { ExtraData = [] }.Evidence().Encode(), Context(Good.Policy()) with { Nonce = Array.Empty<byte>() }));

    [Fact]
    public void Verify_NoNonceAsked_IsUnverifiable() =>
        AssertUnverifiable(AttestationCheck.Nonce, TpmVerifier.Verify(Good.Evidence().Encode(), Context(Good.Policy()) with { Nonce = null }));

    [Fact]
    public void Verify_ReportData_IsItsDigestPart()
    {
        var context = Context(Good.Policy()) with { ReportData = (byte[])[.. Nonce, .. new byte[32]] };
        Assert.Empty(TpmVerifier.Verify(Good.Evidence().Encode(), context).Reasons);
        AssertRefused(AttestationCheck.ReportData, TpmVerifier.Verify(Good.Evidence().Encode(), context with { ReportData = (byte[])[.. Nonce, .. new byte[31], 1] }));
        AssertRefused(AttestationCheck.ReportData, TpmVerifier.Verify(Good.Evidence().Encode(), context with { ReportData = new byte[32] }));
    }

    [Fact]
    public void Verify_AnotherSelectionOrBank_IsMeasurement()
    {
        AssertRefused(AttestationCheck.Measurement, Judge(new MockTpm { Selection = [0, 7] }.Evidence()));
        AssertRefused(AttestationCheck.Measurement, Judge(new MockTpm { Bank = 0x0004 }.Evidence()));
        AssertRefused(AttestationCheck.Measurement, Judge(new MockTpm { Banks = 0 }.Evidence()));
        AssertRefused(AttestationCheck.Measurement, Judge(new MockTpm { Banks = 2 }.Evidence()));
    }

    [Fact]
    public void Verify_ValuesWithoutTheSignedDigest_AreMeasurement()
    {
        AssertRefused(AttestationCheck.Measurement, Judge(new MockTpm { RegisterDigest = new byte[32] }.Evidence()));
        AssertRefused(AttestationCheck.Encoding, Judge(Good.Evidence() with { Registers = new byte[64] }));
    }

    [Fact]
    public void Verify_AnotherReferenceValue_IsMeasurement()
    {
        var registers = new Dictionary<int, IReadOnlyList<string>>(Good.Policy().Registers) { [7] = [new string('1', 64)] };
        AssertRefused(AttestationCheck.Measurement, Judge(Good.Evidence(), Good.Policy() with { Registers = registers }));
        AssertRefused(AttestationCheck.Measurement, Judge(Good.Evidence(), Good.Policy() with { Registers = new Dictionary<int, IReadOnlyList<string>> { [9] = [] } }));
    }

    [Fact]
    public void Verify_NoReferenceValue_IsUnverifiable() =>
        AssertUnverifiable(AttestationCheck.Measurement, Judge(Good.Evidence(), Good.Policy() with { Registers = new Dictionary<int, IReadOnlyList<string>>() }));

    [Fact]
    public void Verify_NoSelection_IsUnverifiable() =>
        AssertUnverifiable(AttestationCheck.Measurement, Judge(Good.Evidence(), Good.Policy() with { Selection = [] }));

    [Fact]
    public void Verify_EmptyRegister_IsMeasurementUnlessThePolicyAllowsIt()
    {
        var tpm = new MockTpm { Registers = new() { [0] = new byte[32], [7] = SHA256.HashData("seven"u8), [16] = SHA256.HashData("sixteen"u8) } };
        AssertRefused(AttestationCheck.Measurement, tpm.Verify());
        Assert.Empty(Judge(tpm.Evidence(), tpm.Policy() with { AllowEmptyRegisters = true }).Reasons);
    }

    [Fact]
    public void Verify_AnotherFirmware_IsTcb()
    {
        AssertRefused(AttestationCheck.Tcb, Judge(Good.Evidence(), Good.Policy() with { Firmware = ["2020031200120004"] }));
        Assert.Empty(Judge(Good.Evidence(), Good.Policy() with { Firmware = ["2020031200120003"] }).Reasons);
    }

    [Fact]
    public void Verify_FewerResetsThanSeen_IsTime()
    {
        AssertRefused(AttestationCheck.Time, Judge(Good.Evidence(), Good.Policy() with { MinimumResetCount = 6 }));
        Assert.Empty(Judge(Good.Evidence(), Good.Policy() with { MinimumResetCount = 5 }).Reasons);
    }
}
