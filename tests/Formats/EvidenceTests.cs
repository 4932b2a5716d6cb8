using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenGradient.Engine.Formats.Tests.Support;

namespace OpenGradient.Engine.Formats.Tests;

public sealed class EvidenceTests
{
    private static readonly byte[] Point = [4, .. new byte[63], 1];

    private static readonly EpochBinding Plain = new(
        [new BoundKey(BoundKey.Secp256k1, EpochBinding.Secp256k1Spki(Point))], Hash256.Sha256([1]),
        [("libonnxruntime.so.1", Hash256.Sha256([2]))], Hash256.Sha256([3]), 31_337, new EvmAddress(new byte[20]), new byte[] { 9, 8 });

    [Fact]
    public void Binding_ByHand_IsTheSameBytes()
    {
        var spki = Plain.Keys[0].Spki;
        byte[] expected =
        [
            .. "OGE binding v1\0\0"u8, 0, 1, 0, 1, 0, 88, .. spki.Span, .. Plain.BuildDigest.Bytes,
            0, 1, 0, 19, .. "libonnxruntime.so.1"u8, .. Hash256.Sha256([2]).Bytes,
            .. Plain.LogId.Bytes, 0, 0, 0, 0, 0, 0, 0x7a, 0x69, .. new byte[20], 0, 2, 9, 8,
        ];
        Assert.Equal(expected, Plain.Encode());
    }

    [Fact]
    public void Binding_GeneratedBindings_GiveEveryFieldBack() => Generated.ForAll(Samples.Binding, expected =>
    {
        var actual = EpochBinding.Decode(expected.Encode());
        Assert.Equal(expected.Keys.Select(key => (key.Kind, Convert.ToHexString(key.Spki.Span))), actual.Keys.Select(key => (key.Kind, Convert.ToHexString(key.Spki.Span))));
        Assert.Equal(expected.Libraries, actual.Libraries);
        Assert.Equal((expected.BuildDigest, expected.LogId, expected.ChainId, expected.Contract), (actual.BuildDigest, actual.LogId, actual.ChainId, actual.Contract));
        Assert.Equal(expected.Nonce.ToArray(), actual.Nonce.ToArray());
    });

    [Fact]
    public void Secp256k1Spki_ReadByTheFramework_IsThatCurveAndPoint()
    {
        // The framework may lack the curve; the structure of an SPKI it always reads.
        var key = PublicKey.CreateFromSubjectPublicKeyInfo(EpochBinding.Secp256k1Spki(Point), out var read);
        Assert.Equal(88, read);
        Assert.Equal("1.2.840.10045.2.1", key.Oid.Value);
        Assert.Equal(Convert.FromHexString("06052b8104000a"), key.EncodedParameters?.RawData);
        Assert.Equal(Point, key.EncodedKeyValue.RawData);
    }

    [Fact]
    public void SigningKey_OfOneSecp256k1Key_IsItsPoint() => Assert.Equal(Point, EpochBinding.Decode(Plain.Encode()).SigningKey.ToArray());

    [Fact]
    public void SigningKey_NoneTwoOrMalformed_IsEmpty()
    {
        var key = Plain.Keys[0];
        Assert.True((Plain with { Keys = [] }).SigningKey.IsEmpty);
        Assert.True((Plain with { Keys = [key, key] }).SigningKey.IsEmpty);
        Assert.True((Plain with { Keys = [new BoundKey(2, key.Spki)] }).SigningKey.IsEmpty);
        Assert.True((Plain with { Keys = [key with { Spki = key.Spki[..^1] }] }).SigningKey.IsEmpty);
        byte[] otherCurve = [.. key.Spki.Span], compressed = [.. key.Spki.Span];
        otherCurve[19] ^= 1;
        compressed[23] = 2;
        Assert.True((Plain with { Keys = [key with { Spki = otherCurve }] }).SigningKey.IsEmpty);
        Assert.True((Plain with { Keys = [key with { Spki = compressed }] }).SigningKey.IsEmpty);
        Assert.Equal(Point, (Plain with { Keys = [new BoundKey(2, new byte[] { 1 }), key] }).SigningKey.ToArray());
    }

    [Fact]
    public void RsaKey_OfOneRsa2048Key_IsWhatTheFrameworkWrites()
    {
        using var rsa = RSA.Create(2048);
        var spki = rsa.ExportSubjectPublicKeyInfo();
        var binding = EpochBinding.Decode((Plain with { Keys = [Plain.Keys[0], new BoundKey(BoundKey.Rsa2048, spki)] }).Encode());
        Assert.Equal(spki, binding.RsaKey.ToArray());
        Assert.Equal(Point, binding.SigningKey.ToArray()); // either says nothing to a reader of the other
        Assert.NotEqual(Hash256.Sha256(Plain.Encode()), Hash256.Sha256(binding.Encode()));
    }

    [Fact]
    public void RsaKey_NoneTwoOrOfAnotherShape_IsEmpty()
    {
        using var rsa = RSA.Create(2048);
        using var large = RSA.Create(3072);
        var spki = rsa.ExportSubjectPublicKeyInfo();
        var key = new BoundKey(BoundKey.Rsa2048, spki);
        Assert.True(Plain.RsaKey.IsEmpty);
        Assert.True((Plain with { Keys = [key, key] }).RsaKey.IsEmpty);
        Assert.True((Plain with { Keys = [key with { Kind = 3 }] }).RsaKey.IsEmpty);
        Assert.True((Plain with { Keys = [key with { Spki = large.ExportSubjectPublicKeyInfo() }] }).RsaKey.IsEmpty);
        Assert.True((Plain with { Keys = [key with { Spki = Plain.Keys[0].Spki }] }).RsaKey.IsEmpty);
        Assert.True((Plain with { Keys = [key with { Spki = spki.AsMemory(..^1) }] }).RsaKey.IsEmpty);
        Assert.True((Plain with { Keys = [key with { Spki = (byte[])[.. spki, 0] }] }).RsaKey.IsEmpty);
        foreach (var (at, bit) in new[] { (18, 1), (33, 0x80), (288, 1), (293, 2) })
        {
            var changed = spki.ToArray(); // parameters, top bit, parity, exponent
            changed[at] ^= (byte)bit;
            Assert.True((Plain with { Keys = [key with { Spki = changed }] }).RsaKey.IsEmpty, $"byte {at}");
        }
    }

    [Fact]
    public void Binding_NonceOverTheCap_IsRefusedBothWays()
    {
        Assert.Throws<InvalidOperationException>(() => (Plain with { Nonce = new byte[65] }).Encode());
        var bytes = (Plain with { Nonce = new byte[64] }).Encode();
        bytes[^65] = 65;
        Assert.Equal("binding: nonce longer than 64 bytes", Assert.Throws<FormatException>(() => EpochBinding.Decode([.. bytes, 0])).Message);
    }

    [Fact]
    public void Binding_LibraryNameThatIsNotUtf8_IsRefused()
    {
        var bytes = Plain.Encode();
        bytes[bytes.AsSpan().IndexOf("libonnx"u8)] = 0xff;
        Assert.Equal("binding: a library's name is not UTF-8", Assert.Throws<FormatException>(() => EpochBinding.Decode(bytes)).Message);
    }

    [Fact]
    public void Evidence_ByHand_IsTheSameBytesAndBindsTheEpoch()
    {
        var binding = Plain.Encode();
        var evidence = new Evidence(EvidenceKind.Tdx, binding, new byte[] { 1, 2, 3 });
        byte[] expected = [.. "OGE evidence v1\0"u8, 0, 4, 0, 0, (byte)(binding.Length >> 8), (byte)binding.Length, .. binding, 0, 0, 0, 3, 1, 2, 3];
        Assert.Equal(expected, evidence.Encode());
        Assert.Equal(Hash256.Sha256(binding), evidence.Epoch);
        Assert.Equal([.. SHA256.HashData(binding), .. new byte[32]], evidence.ReportData);
        Assert.Equal(Hash256.Sha256(expected), new Epoch(evidence.Epoch, default, expected).EvidenceDigest);
    }

    [Theory]
    [InlineData(0), InlineData(6), InlineData(255)]
    public void Evidence_UnknownKind_IsNamed(byte kind)
    {
        var bytes = new Evidence(EvidenceKind.Software, Plain.Encode(), default).Encode();
        bytes[17] = kind;
        Assert.Equal($"evidence: unknown kind {kind}", Assert.Throws<FormatException>(() => Evidence.Decode(bytes)).Message);
    }
}
