using System.Globalization;
using System.Numerics;
using System.Text;
using OpenGradient.Engine.Formats.Tests.Support;
using FsCheck.Fluent;

namespace OpenGradient.Engine.Formats.Tests;

public sealed class CheckpointTests
{
    [Fact]
    public void Digest_GeneratedClaims_IsEip712WordByWord() => Generated.ForAll(
        from hashes in Gen.ArrayOf(Samples.Hash, 3) from size in Samples.U64 from chain in Samples.U64 from contract in Samples.Address
        select new CheckpointClaim(hashes[0], size, hashes[1], hashes[2], chain, contract),
        claim =>
        {
            var domain = Keccak(
                Keccak("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                Keccak("OpenGradient.Engine"), Keccak("1"), Word(claim.ChainId), "000000000000000000000000" + claim.Contract.ToString()[2..]);
            var message = Keccak(
                Keccak("Checkpoint(bytes32 logId,uint64 size,bytes32 root,bytes32 previousHead)"),
                claim.LogId.ToString(), Word(claim.Size), claim.Root.ToString(), claim.PreviousHead.ToString());
            Assert.Equal(Keccak("1901", domain, message), claim.Digest().ToString());
        });

    [Fact]
    public void Digest_PublishedDomainType_IsTheWellKnownTypeHash() =>
        Assert.Equal("8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f", Keccak("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"));

    [Fact]
    public void Digest_AnyFieldChanged_IsAnother()
    {
        var claim = new CheckpointClaim(Hash256.Sha256([1]), 2, Hash256.Sha256([3]), Hash256.Sha256([4]), 5, new EvmAddress(new byte[20]));
        CheckpointClaim[] others =
        [
            claim with { LogId = default }, claim with { Size = 3 }, claim with { Root = default }, claim with { PreviousHead = default },
            claim with { ChainId = 6 }, claim with { Contract = EvmAddress.Parse("0x0000000000000000000000000000000000000001") },
            claim with { Root = claim.PreviousHead, PreviousHead = claim.Root },
        ];
        Assert.Equal(others.Length + 1, others.Append(claim).Select(each => each.Digest()).Distinct().Count());
    }

    [Fact]
    public void Head_OfRootAndSize_IsTheRootsFirst24BytesAndTheSize()
    {
        var root = Hash256.Sha256([1]);
        var head = LogHead.Pack(root, 0x0102030405060708);
        Assert.Equal(root.ToString()[..48] + "0102030405060708", head.ToString());
        Assert.Equal(0x0102030405060708UL, LogHead.SizeOf(head));
    }

    [Fact]
    public void Head_OfALogWithoutAnchor_IsTheEmptyTrees() =>
        Assert.Equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934c0000000000000000", LogHead.Empty.ToString());

    private static string Word(ulong value) => new BigInteger(value).ToString("x64", CultureInfo.InvariantCulture)[^64..];

    /// <summary>A type string's or hexadecimal words' digest, as hexadecimal.</summary>
    private static string Keccak(params string[] words)
    {
        var joined = string.Concat(words);
        var hexadecimal = words.Length > 1;
        return Convert.ToHexStringLower(NaiveKeccak.Hash(hexadecimal ? Convert.FromHexString(joined) : Encoding.ASCII.GetBytes(joined)));
    }
}
