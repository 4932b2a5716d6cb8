using System.Text;

namespace OpenGradient.Engine.Formats.Tests;

public sealed class ModelIdentityTests
{
    private const int Chunk = 4 * 1024 * 1024;

    [Theory]
    [InlineData(0, 1000), InlineData(1, 1000), InlineData(Chunk - 1, 65_536), InlineData(Chunk, 65_536), InlineData(Chunk + 1, 65_537)]
    [InlineData(2 * Chunk, 3 * Chunk), InlineData(2 * Chunk + 5, Chunk + 3), InlineData(3 * Chunk - 1, 2 * Chunk - 1)]
    public void Finish_AnySizeOfPieces_IsTheTreeOverExplicitChunks(int length, int piece)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        using var identity = new ModelIdentity();
        for (var at = 0; at < length; at += piece) identity.Append(bytes.AsSpan(at, Math.Min(piece, length - at)));
        Assert.Equal(MerkleTree.Root([.. bytes.Chunk(Chunk).Select(chunk => MerkleTree.LeafHash(chunk))]), identity.Finish());
    }

    [Fact]
    public void Finish_EmptyPieces_ChangeNothing()
    {
        using var identity = new ModelIdentity();
        identity.Append([]);
        identity.Append([1, 2]);
        identity.Append([]);
        Assert.Equal(MerkleTree.LeafHash([1, 2]), identity.Finish());
    }

    [Fact]
    public void OfFiles_ByHand_IsTheTreeOverNamesAndRoots()
    {
        Hash256 first = Hash256.Sha256([1]), second = Hash256.Sha256([2]);
        var expected = Files(MerkleTree.NodeHash(
            MerkleTree.LeafHash([0, 6, .. "a.onnx"u8, .. first.Bytes]), MerkleTree.LeafHash([0, 6, .. "b.data"u8, .. second.Bytes])));
        Assert.Equal(expected, ModelIdentity.OfFiles([("a.onnx", first), ("b.data", second)]));
        Assert.Equal(expected, ModelIdentity.OfFiles([("b.data", second), ("a.onnx", first)]));
    }

    private static Hash256 Files(Hash256 root) => Hash256.Sha256([.. "OGE files v1"u8, 0, 0, 0, 0, .. root.Bytes]);

    /// <summary>The example of docs/formats.md, computed by another implementation (Python's hashlib).</summary>
    [Fact]
    public void OfFiles_TheDocumentedExample_IsTheGoldenIdentity()
    {
        var weights = new byte[Chunk + 1];
        for (var i = 0; i < weights.Length; i++) weights[i] = (byte)i;
        var identity = ModelIdentity.OfFiles([("weights.data", Root(weights)), ("", Root("model"u8)), ("parts/bias.data", Root([]))]);
        Assert.Equal("7bf737f629115e3dd694153ad04744fbe575c45b4035c6d64c89d8b71d8dcddd", identity.ToString());

        static Hash256 Root(ReadOnlySpan<byte> bytes)
        {
            using var file = new ModelIdentity();
            file.Append(bytes);
            return file.Finish();
        }
    }

    [Fact]
    public void OfFiles_RootsExchanged_IsAnother()
    {
        Hash256 first = Hash256.Sha256([1]), second = Hash256.Sha256([2]);
        Assert.NotEqual(ModelIdentity.OfFiles([("a", first), ("b", second)]), ModelIdentity.OfFiles([("a", second), ("b", first)]));
    }

    [Fact]
    public void OfFiles_NamesBeyondTheBasicPlane_AreOrderedByUtf8Bytes()
    {
        // UTF-16 puts the surrogates of U+1F600 before U+FFFD; UTF-8 puts it after.
        var (early, late) = (("\ufffd", Hash256.Sha256([1])), (char.ConvertFromUtf32(0x1f600), Hash256.Sha256([2])));
        var expected = Files(MerkleTree.NodeHash(Leaf(early), Leaf(late)));
        Assert.Equal(expected, ModelIdentity.OfFiles([late, early]));

        static Hash256 Leaf((string Name, Hash256 Root) file)
        {
            var name = Encoding.UTF8.GetBytes(file.Name);
            return MerkleTree.LeafHash([0, (byte)name.Length, .. name, .. file.Root.Bytes]);
        }
    }

    [Fact]
    public void OfFiles_NameTwice_NamesIt() =>
        Assert.Contains("'a' occurs twice", Assert.Throws<ArgumentException>(() => ModelIdentity.OfFiles([("a", default), ("b", default), ("a", Hash256.Sha256([1]))])).Message);
}
