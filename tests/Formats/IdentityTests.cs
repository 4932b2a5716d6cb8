using System.Text;

namespace OpenGradient.Engine.Formats.Tests;

/// <summary>Hashes and addresses as values and as text.</summary>
public sealed class IdentityTests
{
    // The public key of private key 1 is the curve's generator (SEC 2 §2.4.1).
    private const string Generator =
        "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";

    [Fact]
    public void OfPublicKey_OfPrivateKeyOne_IsTheKnownAddress() =>
        Assert.Equal("0x7e5f4552091a69125d5dfcb7b8c2659029395bdf", EvmAddress.OfPublicKey(Convert.FromHexString(Generator)).ToString());

    [Fact]
    public void OfPublicKey_CompressedOrCut_Throws()
    {
        var key = Convert.FromHexString(Generator);
        Assert.Throws<ArgumentException>(() => EvmAddress.OfPublicKey(key.AsSpan(0, 33)));
        Assert.Throws<ArgumentException>(() => EvmAddress.OfPublicKey(key.AsSpan(1)));
        key[0] = 3;
        Assert.Throws<ArgumentException>(() => EvmAddress.OfPublicKey(key));
    }

    [Theory]
    [InlineData("0x7e5f4552091a69125d5dfcb7b8c2659029395bdf", true), InlineData("7E5F4552091A69125D5DFCB7B8C2659029395BDF", true)]
    [InlineData("0x7e5f4552091a69125d5dfcb7b8c2659029395bd", false), InlineData("0x0x7e5f4552091a69125d5dfcb7b8c2659029395b", false)]
    [InlineData("0x7e5f4552091a69125d5dfcb7b8c2659029395bdg", false), InlineData("", false), InlineData("0x", false)]
    public void Address_Parse_Takes40Digits(string text, bool valid)
    {
        Assert.Equal(valid, EvmAddress.TryParse(text, out var address));
        Assert.Equal(valid ? "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf" : "0x" + new string('0', 40), address.ToString());
        Assert.Equal(!valid, address.IsZero);
        if (!valid) Assert.Throws<FormatException>(() => EvmAddress.Parse(text));
    }

    [Theory]
    [InlineData(64, true), InlineData(63, false), InlineData(65, false), InlineData(0, false), InlineData(32, false)]
    public void Hash_Parse_Takes64Digits(int digits, bool valid)
    {
        Assert.Equal(valid, Hash256.TryParse(new string('a', digits), out var hash));
        Assert.Equal(valid, Hash256.TryParse("0x" + new string('A', digits), out var prefixed));
        Assert.Equal(hash, prefixed);
        Assert.Equal(!valid, hash.IsZero);
    }

    [Fact]
    public void Values_EveryByteOfThem_CountsForEquality()
    {
        for (var at = 0; at < 32; at++)
        {
            var bytes = new byte[32];
            bytes[at] = 1;
            Assert.NotEqual(Hash256.Zero, new Hash256(bytes));
            Assert.False(new Hash256(bytes).IsZero);
            Assert.Equal(bytes, new Hash256(bytes).ToArray());
            if (at >= 20) continue;
            Assert.NotEqual(default, new EvmAddress(bytes.AsSpan(0, 20)));
            Assert.False(new EvmAddress(bytes.AsSpan(0, 20)).IsZero);
            Assert.Equal(bytes[..20], new EvmAddress(bytes.AsSpan(0, 20)).ToArray());
            if (at < 16) Assert.NotEqual(default, new ReceiptId(bytes.AsSpan(0, 16)));
        }
    }

    [Theory]
    [InlineData(31), InlineData(33), InlineData(0)]
    public void Hash_OfAnotherLength_Throws(int length) => Assert.Throws<ArgumentException>(() => new Hash256(new byte[length]));

    [Fact]
    public void Sha256_Abc_IsTheKnownAnswer() =>
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", Hash256.Sha256(Encoding.ASCII.GetBytes("abc")).ToString());

    [Fact]
    public void Reasons_AsText_AreDistinctLowerCaseWords()
    {
        string[] names = [.. Enum.GetValues<VerificationReason>().Select(reason => reason.Text())];
        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.All(names, name => Assert.Matches("^[a-z]+(-[a-z]+)*$", name));
        Assert.Equal("statement-signature-invalid", VerificationReason.StatementSignatureInvalid.Text());
    }
}
