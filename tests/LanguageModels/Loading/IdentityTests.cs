using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Loading;

namespace OpenGradient.Engine.LanguageModels.Tests.Loading;

/// <summary>docs/formats.md, "Identity of a language model": the golden vector, an opened tensor, and what must change either.</summary>
public sealed class IdentityTests
{
    [Fact]
    public void Identity_OfThePagesExample_IsThePages()
    {
        // Made by a few lines of Python from the page alone; they are in the page.
        Assert.Equal("1af90e4e25715baca4bd35342218804935e338537f7ce6524ff7c45c256739c1", Example(WeightScheme.Int8).Value.ToString());
        Assert.Equal(3, Example(WeightScheme.Int8).Tensors.Count);
    }

    [Fact]
    public void Identity_FromPrimitives_IsTheSame()
    {
        static byte[] H(params byte[][] parts) => SHA256.HashData(parts.SelectMany(part => part).ToArray());
        static byte[] Leaf(params byte[][] parts) => H([[0], .. parts]);
        static byte[] Node(byte[] left, byte[] right) => H([1], left, right);
        static byte[] U16(int value) => [(byte)(value >> 8), (byte)value];
        static byte[] U64(long value)
        {
            var bytes = new byte[8];
            BinaryPrimitives.WriteInt64BigEndian(bytes, value);
            return bytes;
        }

        static byte[] Named(string name) => [.. U16(name.Length), .. Encoding.ASCII.GetBytes(name)];
        var a = Leaf(Named("a"), [3], "F32"u8.ToArray(), [1], U64(1), U64(4), Leaf([0, 0, 128, 63]));
        var b = Leaf(Named("b"), [4], "BF16"u8.ToArray(), [2], U64(2), U64(1), U64(4), Leaf([1, 2, 3, 4]));
        var large = Enumerable.Range(0, ModelIdentity.ChunkSize + 1).Select(i => (byte)i).ToArray();
        var c = Leaf(Named("c"), [2], "U8"u8.ToArray(), [1], U64(large.Length), U64(large.Length), Node(Leaf(large[..^1]), Leaf(large[^1..])));
        var tensors = Node(Node(a, b), c);
        var parts = Node(Leaf(U16(0), tensors), Leaf(Named("config.json"), Leaf("{}"u8.ToArray())));
        Assert.Equal(Convert.ToHexStringLower(H("OGE language v1\0"u8.ToArray(), [2], parts)), Example(WeightScheme.Int8).Value.ToString());
    }

    [Fact]
    public void Identity_OrderOfTensorsAndFiles_IsNoPartOfIt()
    {
        var files = new[] { ("x", Hash256.Sha256("x"u8)), ("a", Hash256.Sha256("a"u8)) };
        var one = new LanguageModelIdentity(WeightScheme.Bf16, Leaves(), files);
        var other = new LanguageModelIdentity(WeightScheme.Bf16, Leaves().Reverse(), files.Reverse());
        Assert.Equal(one.Value, other.Value);
    }

    [Fact]
    public void Identity_AnyChange_ChangesIt()
    {
        var files = new[] { ("config.json", Root("{}"u8.ToArray())) };
        var leaves = Leaves();
        TensorLeaf[] With(TensorLeaf changed) => [changed, .. leaves[1..]];
        LanguageModelIdentity[] all =
        [
            new(WeightScheme.Bf16, leaves, files), new(WeightScheme.Int8, leaves, files), new(WeightScheme.Int4, leaves, files),
            new(WeightScheme.Bf16, leaves[1..], files), new(WeightScheme.Bf16, leaves, []),
            new(WeightScheme.Bf16, leaves, [("config.jso", Root("{}"u8.ToArray()))]), new(WeightScheme.Bf16, leaves, [("config.json", Root("{ }"u8.ToArray()))]),
            new(WeightScheme.Bf16, With(leaves[0] with { Name = "aa" }), files), new(WeightScheme.Bf16, With(leaves[0] with { Type = "I32" }), files),
            new(WeightScheme.Bf16, With(leaves[0] with { Shape = [1, 1] }), files), new(WeightScheme.Bf16, With(leaves[0] with { Length = 5 }), files),
            new(WeightScheme.Bf16, With(leaves[0] with { DataRoot = Hash256.Zero }), files),
        ];
        Assert.Equal(all.Length, all.Select(identity => identity.Value).Distinct().Count());
    }

    [Fact]
    public void Identity_NameTwice_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new LanguageModelIdentity(WeightScheme.Bf16, [Leaves()[0], Leaves()[0]], []));
        // The empty name is the tensors'.
        Assert.Throws<ArgumentException>(() => new LanguageModelIdentity(WeightScheme.Bf16, Leaves(), [("", Hash256.Zero)]));
    }

    [Theory, InlineData("a"), InlineData("b"), InlineData("c")]
    public void OpenedTensor_OfTheModel_LeadsToItsIdentityAndNoOther(string name)
    {
        var identity = Example(WeightScheme.Int8);
        var opened = TensorIdentity.Decode(identity.Open(name).Encode());
        Assert.Equal(name, opened.Tensor.Name);
        Assert.True(opened.LeadsTo(identity.Value));
        Assert.False(opened.LeadsTo(Example(WeightScheme.Int4).Value));
        Assert.False(opened.LeadsTo(Hash256.Zero));
        Assert.False((opened with { Scheme = WeightScheme.Bf16 }).LeadsTo(identity.Value));
        Assert.False((opened with { Tensor = opened.Tensor with { Name = "d" } }).LeadsTo(identity.Value));
        Assert.False((opened with { Index = opened.Index ^ 1 }).LeadsTo(identity.Value));
        Assert.False((opened with { Index = -1 }).LeadsTo(identity.Value));
        Assert.False((opened with { Count = opened.Count + 2 }).LeadsTo(identity.Value));
        Assert.False((opened with { Path = [.. opened.Path, Hash256.Zero] }).LeadsTo(identity.Value));
        Assert.False((opened with { Parts = 1 }).LeadsTo(identity.Value));
        Assert.Throws<ArgumentException>(() => identity.Open("d"));
    }

    [Fact]
    public void OpenedTensor_EveryChangedOrMissingByte_IsNoticed()
    {
        var identity = Example(WeightScheme.Int8);
        var bytes = identity.Open("b").Encode();
        for (var i = 0; i < bytes.Length; i++)
        {
            var changed = (byte[])bytes.Clone();
            changed[i] ^= 1;
            Assert.False(Leads(changed, identity.Value), $"byte {i} changed");
            Assert.False(Leads(bytes[..i], identity.Value), $"cut at {i}");
        }

        Assert.Throws<FormatException>(() => TensorIdentity.Decode([.. bytes, 0]));
    }

    [Fact]
    public void OpenedTensor_ItsBytes_AreToldFromOthers()
    {
        var opened = Example(WeightScheme.Int8).Open("c").Tensor;
        var bytes = Enumerable.Range(0, ModelIdentity.ChunkSize + 1).Select(i => (byte)i).ToArray();
        Assert.True(opened.IsOf(new MemoryStream(bytes)));
        bytes[^1] ^= 1;
        Assert.False(opened.IsOf(new MemoryStream(bytes)));
        Assert.False(opened.IsOf(new MemoryStream(bytes[..^1])));
        Assert.False(opened.IsOf(new MemoryStream([.. bytes, 0])));
    }

    private static bool Leads(byte[] bytes, Hash256 identity)
    {
        try
        {
            return TensorIdentity.Decode(bytes).LeadsTo(identity);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static LanguageModelIdentity Example(WeightScheme scheme) => new(scheme, Leaves(), [("config.json", Root("{}"u8.ToArray()))]);

    private static TensorLeaf[] Leaves()
    {
        var large = Enumerable.Range(0, ModelIdentity.ChunkSize + 1).Select(i => (byte)i).ToArray();
        return
        [
            new("a", "F32", [1], 4, Root([0, 0, 128, 63])), new("b", "BF16", [2, 1], 4, Root([1, 2, 3, 4])), new("c", "U8", [large.Length], large.Length, Root(large)),
        ];
    }

    private static Hash256 Root(byte[] bytes)
    {
        using var identity = new ModelIdentity();
        identity.Append(bytes);
        return identity.Finish();
    }
}
