using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.Attestation.Tests;

public sealed class EpochTests : WithEpoch
{
    private static EpochOptions Options(SoftwareRoot? root) => new() { LogId = Shim.LogId, ChainId = 1, Contract = default, Attester = EvidenceKind.Software, SoftwareRoot = root };

    [Fact]
    public void Evidence_OfANewEpoch_BindsWhatItWasOpenedWith()
    {
        var evidence = Evidence.Decode(_epoch.Epoch.Evidence.Span);
        Assert.Equal(_epoch.Epoch.Evidence.ToArray(), evidence.Encode());
        Assert.Equal(_epoch.Epoch.Id, evidence.Epoch);
        var binding = EpochBinding.Decode(evidence.Binding.Span);
        Assert.Equal(evidence.Binding.ToArray(), binding.Encode());
        Assert.Equal(_epoch.PublicKey.ToArray(), binding.SigningKey.ToArray());
        Assert.Equal(_epoch.Epoch.Address, EvmAddress.OfPublicKey(binding.SigningKey.Span));
        Assert.Equal(Shim.Loaded.BuildDigest(), binding.BuildDigest);
        Assert.Equal([("libone.so", Hash256.Sha256("one"u8)), ("libzwei-ü.so", Hash256.Sha256("two"u8))], binding.Libraries);
        Assert.Equal((Shim.LogId, Shim.ChainId, Shim.Contract), (binding.LogId, binding.ChainId, binding.Contract));
        Assert.Equal([1, 2, 3], binding.Nonce.ToArray());
    }

    [Fact]
    public void FreshEvidence_ForAChallenge_DiffersInNonceAlone()
    {
        byte[] challenge = [.. Enumerable.Range(0, 64).Select(i => (byte)i)];
        var fresh = Evidence.Decode(_epoch.FreshEvidence(challenge));
        var binding = EpochBinding.Decode(fresh.Binding.Span);
        var original = EpochBinding.Decode(Evidence.Decode(_epoch.Epoch.Evidence.Span).Binding.Span);
        Assert.Equal(challenge, binding.Nonce.ToArray());
        Assert.Equal(original.Encode(), (binding with { Nonce = original.Nonce }).Encode());
        Assert.Empty(new EvidenceVerifier(Shim.Signatures).Verify(fresh, Shim.Trust(_root), DateTimeOffset.UnixEpoch));
        Assert.Throws<ArgumentException>(() => _epoch.FreshEvidence([]));
        Assert.Throws<ArgumentException>(() => _epoch.FreshEvidence(new byte[65]));
    }

    [Fact]
    public void SignCheckpoint_OfItsOwnLog_IsByTheEpochsKey()
    {
        var claim = new CheckpointClaim(Shim.LogId, 5, Hash256.Sha256("root"u8), LogHead.Empty, Shim.ChainId, Shim.Contract);
        var signature = _epoch.SignCheckpoint(claim);
        Assert.True(Shim.Signatures.VerifySecp256k1(_epoch.PublicKey.Span, claim.Digest(), signature));
        Assert.Equal(_epoch.Epoch.Address, Shim.Signatures.RecoverAddress(claim.Digest(), signature));
    }

    [Fact]
    public void SignCheckpoint_OfAnotherLogChainOrContract_Throws()
    {
        var claim = new CheckpointClaim(Shim.LogId, 5, Hash256.Sha256("root"u8), LogHead.Empty, Shim.ChainId, Shim.Contract);
        Assert.Throws<ArgumentException>(() => _epoch.SignCheckpoint(claim with { LogId = default }));
        Assert.Throws<ArgumentException>(() => _epoch.SignCheckpoint(claim with { ChainId = 1 }));
        Assert.Throws<ArgumentException>(() => _epoch.SignCheckpoint(claim with { Contract = default }));
    }

    [Fact]
    public void SignCheckpoint_AnotherRootAtTheSameSize_IsRefused()
    {
        var claim = new CheckpointClaim(Shim.LogId, 5, Hash256.Sha256("root"u8), LogHead.Empty, Shim.ChainId, Shim.Contract);
        _epoch.SignCheckpoint(claim);
        var failure = Assert.Throws<AttestationException>(() => _epoch.SignCheckpoint(claim with { Root = Hash256.Sha256("other"u8) }));
        Assert.Equal(AttestationFailure.Refused, failure.Status);
    }

    [Fact]
    public void Open_AttesterOfAnotherPlatform_SaysWhyNot()
    {
        var failure = Assert.Throws<AttestationException>(() => EnclaveEpoch.Open(Shim.Loaded, Options(null) with { Attester = EvidenceKind.Nitro }, TimeProvider.System));
        Assert.Equal(AttestationFailure.Unavailable, failure.Status);
        Assert.Contains("/dev/nsm", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WithBadOptions_Throws()
    {
        Assert.Throws<ArgumentException>(() => EnclaveEpoch.Open(Shim.Loaded, Options(null), TimeProvider.System));
        Assert.Throws<AttestationException>(() => EnclaveEpoch.Open(Shim.Loaded, Options(_root) with { Nonce = new byte[65] }, TimeProvider.System));
        Assert.Throws<AttestationException>(() => EnclaveEpoch.Open(Shim.Loaded, Options(_root) with { Libraries = [("", default)] }, TimeProvider.System));
    }

    [Fact]
    public void Open_WithNothingOptional_StillBinds()
    {
        using var epoch = EnclaveEpoch.Open(Shim.Loaded, Options(_root), TimeProvider.System);
        var binding = EpochBinding.Decode(Evidence.Decode(epoch.Epoch.Evidence.Span).Binding.Span);
        Assert.Empty(binding.Libraries);
        Assert.Equal(0, binding.Nonce.Length);
    }
}
