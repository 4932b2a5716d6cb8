using System.Text.Json;

namespace OpenGradient.Engine.Formats.Tests;

public sealed class FraudBundleTests
{
    private static readonly byte[] Tensors = TensorSetBytes.Of(
    [
        ("b", TensorSetDigest.Header("b", 1, [2], 8), new byte[] { 1, 2, 3, 4, 5, 6, 7, 8 }),
        ("a", TensorSetDigest.Header("a", 2, [1, 3], 3), new byte[] { 9, 8, 7 }),
    ]);

    [Fact]
    public void TensorSet_ItsHash_IsTheTensorSetDigest() => Assert.Equal(
        TensorSetDigest.Of([("b", TensorSetDigest.Header("b", 1, [2], 8), new byte[] { 1, 2, 3, 4, 5, 6, 7, 8 }), ("a", TensorSetDigest.Header("a", 2, [1, 3], 3), new byte[] { 9, 8, 7 })]),
        Hash256.Sha256(Tensors));

    [Fact]
    public void TensorSet_Decoded_GivesNamesShapesAndData()
    {
        var parts = TensorSetBytes.Decode(Tensors);
        Assert.Equal(["a", "b"], parts.Select(part => part.Name));
        Assert.Equal([1L, 3], parts[0].Dimensions.ToArray());
        Assert.Equal([9, 8, 7], parts[0].Data.ToArray());
        Assert.Equal((byte)1, parts[1].ElementType);
    }

    [Fact]
    public unsafe void TensorSet_WrittenFromViews_IsTheSame()
    {
        var (header, data) = (TensorSetDigest.Header("x", 2, [1, 4], 4), new byte[] { 1, 2, 3, 4 });
        fixed (byte* h = header, d = data)
        {
            var view = new TensorView { Header = h, HeaderLength = (ulong)header.Length, Data = d, DataLength = 4 };
            var written = new byte[TensorSetBytes.SizeOf(&view, 1)];
            fixed (byte* w = written) TensorSetBytes.Write(&view, 1, w);
            Assert.Equal(TensorSetBytes.Of([("x", header, data)]), written);
        }
    }

    [Fact]
    public void TensorSet_CutOrExtended_IsRefused()
    {
        for (var length = 0; length < Tensors.Length; length++) Assert.Throws<FormatException>(() => TensorSetBytes.Decode(Tensors.AsMemory(0, length)));
        Assert.Throws<FormatException>(() => TensorSetBytes.Decode((byte[])[.. Tensors, 0]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Fraud_EncodedAndDecoded_IsTheSame(bool claimed)
    {
        var bundle = Sample() with { ClaimedOutput = claimed ? Tensors : default(ReadOnlyMemory<byte>?) };
        var bytes = bundle.Encode();
        var read = FraudBundle.Decode(bytes);
        Assert.Equal(bytes, read.Encode());
        Assert.Equal((bundle.Beacon, bundle.OneIn, bundle.Finding), (read.Beacon, read.OneIn, read.Finding));
        Assert.Equal(claimed, read.ClaimedOutput is not null);
        Assert.NotNull(read.Draw());
    }

    [Fact]
    public void Fraud_CutOrExtended_IsRefused()
    {
        var bytes = Sample().Encode();
        for (var length = 0; length < bytes.Length; length += 7) Assert.Throws<FormatException>(() => FraudBundle.Decode(bytes.AsMemory(0, length)));
        Assert.Throws<FormatException>(() => FraudBundle.Decode((byte[])[.. bytes, 0]));
    }

    [Fact]
    public void Fraud_NewerVersion_IsRefused()
    {
        var bytes = Sample().Encode();
        bytes[11] = (byte)'2';
        Assert.Contains("version", Assert.Throws<FormatException>(() => FraudBundle.Decode(bytes)).Message);
    }

    private static FraudBundle Sample()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "OpenGradient.Engine.sln"))) folder = folder.Parent;
        var vectors = JsonSerializer.Deserialize<Dictionary<string, string>>(File.ReadAllText(Path.Combine(folder?.FullName ?? "", "tests", "vectors", "formats.json")))!;
        return new FraudBundle
        {
            Receipt = ReceiptBundle.Decode(Convert.FromHexString(vectors["bundle.bytes"])),
            Beacon = new AuditBeacon(5, Hash256.Sha256("block"u8)),
            OneIn = 1000,
            Input = Tensors,
            OwnOutput = Tensors,
            OwnContext = StatementContext.Decode(Convert.FromHexString(vectors["statement.context"])),
            Finding = new FraudFinding(1, 2, 3, 4, "element 0 is 1, here 2"),
        };
    }
}
