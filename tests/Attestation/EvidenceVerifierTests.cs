using OpenGradient.Engine.Formats;
using static OpenGradient.Engine.Formats.VerificationReason;

namespace OpenGradient.Engine.Attestation.Tests;

public sealed class EvidenceVerifierTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly SoftwareRoot _root;
    private readonly Evidence _evidence;
    private readonly EvidenceTrust _trust;
    private readonly EvidenceVerifier _verifier = new(Shim.Signatures);

    public EvidenceVerifierTests()
    {
        _root = SoftwareRoot.Open(Shim.Loaded, _folder.File("root.key"));
        using var epoch = Shim.OpenEpoch(_root);
        _evidence = Evidence.Decode(epoch.Epoch.Evidence.Span);
        _trust = Shim.Trust(_root);
    }

    public void Dispose()
    {
        _root.Dispose();
        _folder.Dispose();
    }

    private IEnumerable<VerificationReason> Reasons(Evidence evidence, EvidenceTrust trust) =>
        _verifier.Verify(evidence, trust, DateTimeOffset.UnixEpoch).Select(failure => failure.Reason);

    private IEnumerable<VerificationReason> VerifyDocument(int offset)
    {
        var document = _evidence.Document.ToArray();
        document[offset] ^= 1;
        return Reasons(_evidence with { Document = document }, _trust);
    }

    [Fact]
    public void Verify_Untouched_HasNoReason() => Assert.Empty(Reasons(_evidence, _trust));

    [Fact]
    public void Verify_AnyBuild_IsAcceptedWhenTheTrustNamesNone() =>
        Assert.Empty(Reasons(_evidence, _trust with { BuildDigests = new HashSet<Hash256>() }));

    [Theory]
    [InlineData(0, EvidenceMalformed)]
    [InlineData(16, EvidenceNotForEpoch)]
    [InlineData(16 + 63, EvidenceNotForEpoch)]
    [InlineData(80, EvidenceMeasurementNotTrusted)]
    [InlineData(112, EvidenceSignatureInvalid)]
    [InlineData(121, EvidenceRootNotTrusted)]
    [InlineData(153, EvidenceSignatureInvalid)]
    [InlineData(216, EvidenceSignatureInvalid)]
    public void Verify_TamperedDocument_GivesTheFieldsReason(int offset, VerificationReason expected) => Assert.Contains(expected, VerifyDocument(offset));

    [Fact]
    public void Verify_AnyFlippedByteOfTheEnvelope_IsRefused()
    {
        var whole = _evidence.Encode();
        for (var i = 0; i < whole.Length; i++)
        {
            var bytes = (byte[])whole.Clone();
            bytes[i] ^= (byte)(1 << (i % 8));
            Evidence flipped;
            try
            {
                flipped = Evidence.Decode(bytes);
            }
            catch (FormatException)
            {
                continue;
            }

            // A binding with another byte is another epoch's; whoever looks for this epoch does not find it, and the document does not prove it.
            Assert.True(Reasons(flipped, _trust).Any(), $"byte {i} was flipped unnoticed");
        }
    }

    [Fact]
    public void Verify_TrailingOrMissingDocumentBytes_AreMalformed()
    {
        Assert.Equal([EvidenceMalformed], Reasons(_evidence with { Document = (byte[])[.. _evidence.Document.Span, 0] }, _trust));
        Assert.Equal([EvidenceMalformed], Reasons(_evidence with { Document = _evidence.Document[..^1] }, _trust));
    }

    [Fact]
    public void Verify_HighSOfTheRoot_IsRefused()
    {
        var document = _evidence.Document.ToArray();
        var order = System.Numerics.BigInteger.Parse("0fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", System.Globalization.NumberStyles.HexNumber);
        var s = new System.Numerics.BigInteger(document.AsSpan(185), isUnsigned: true, isBigEndian: true);
        var high = (order - s).ToByteArray(isUnsigned: true, isBigEndian: true);
        document.AsSpan(185).Clear();
        high.CopyTo(document.AsSpan(217 - high.Length));
        Assert.Equal([EvidenceSignatureInvalid], Reasons(_evidence with { Document = document }, _trust));
    }

    [Fact]
    public void Verify_KindNotInTheTrust_IsNotAccepted() =>
        Assert.Equal([EvidenceKindNotAccepted], Reasons(_evidence, _trust with { AcceptedKinds = new HashSet<EvidenceKind>() }));

    [Fact]
    public void Verify_RootNotInTheTrust_IsNotTrusted() => Assert.Equal([EvidenceRootNotTrusted], Reasons(_evidence, _trust with { SoftwareRoots = [] }));

    [Fact]
    public void Verify_BuildNotInTheTrust_IsNotTrusted() =>
        Assert.Equal([EvidenceMeasurementNotTrusted], Reasons(_evidence, _trust with { BuildDigests = new HashSet<Hash256> { default } }));

    [Theory]
    [InlineData(EvidenceKind.Nitro)]
    [InlineData(EvidenceKind.SevSnp)]
    [InlineData(EvidenceKind.Tdx)]
    [InlineData(EvidenceKind.Tpm)]
    public void Verify_PlatformWithoutAPolicy_IsUnverifiableEvenIfAccepted(EvidenceKind kind) =>
        Assert.Equal([EvidenceUnverifiable], Reasons(_evidence with { Kind = kind }, _trust with { AcceptedKinds = new HashSet<EvidenceKind> { kind } }));

    [Fact]
    public void Verify_BindingWithoutUsableKey_IsMalformed()
    {
        var binding = EpochBinding.Decode(_evidence.Binding.Span);
        Assert.Equal([EvidenceMalformed], Reasons(_evidence with { Binding = (binding with { Keys = [] }).Encode() }, _trust));
        Assert.Equal([EvidenceMalformed], Reasons(_evidence with { Binding = (binding with { Keys = [binding.Keys[0], binding.Keys[0]] }).Encode() }, _trust));
        Assert.Equal([EvidenceMalformed], Reasons(_evidence with { Binding = default }, _trust));
    }
}
