using System.IO.Compression;
using System.Text;
using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Engine.Tests.Contract;
using OpenGradient.Engine.Tensors;
using OpenGradient.Engine.TorchSharp;

namespace OpenGradient.Engine.Engine.Tests.Torch;

/// <summary>What the TorchSharp adapter reads by itself: the archive's signature. It needs no libtorch.</summary>
public sealed class TorchSharpSignatureTests
{
    [Fact]
    public void OfArchive_ShippedEncoder_IsWhatItDeclares()
    {
        var signature = Read(File.ReadAllBytes(TorchFiles.Model("encoder")));
        Assert.Equal(["input_ids: Int64[-1,32]", "attention_mask: Int64[-1,32]"], signature.Inputs.Select(spec => spec.ToString()));
        Assert.Equal(["embedding: Float32[-1,64]"], signature.Outputs.Select(spec => spec.ToString()));
        Assert.Equal("batch", signature.Inputs[0].Symbols[0]);
    }

    [TorchFact]
    public void OfArchive_EveryModelThatServes_IsAsTheNativeLibraryReadsIt()
    {
        foreach (var name in (string[])["identity", "multi", "fixed", "lengths", "shape"])
        {
            using var native = TorchSubject.Instance.Open(name);
            var signature = Read(File.ReadAllBytes(TorchFiles.Model(name)));
            Assert.Equal(Described(native.Inputs), Described(signature.Inputs));
            Assert.Equal(Described(native.Outputs), Described(signature.Outputs));
        }
    }

    [Theory]
    [InlineData("unsigned.pt", ModelLoadReason.Unsupported)]
    [InlineData("pickle.pt", ModelLoadReason.Corrupt)]
    [InlineData("truncated.pt", ModelLoadReason.Corrupt)]
    [InlineData("no-end.pt", ModelLoadReason.Corrupt)]
    [InlineData("signature-word.pt", ModelLoadReason.Corrupt)]
    [InlineData("signature-spaces.pt", ModelLoadReason.Corrupt)]
    [InlineData("signature-bytes.pt", ModelLoadReason.Corrupt)]
    [InlineData("signature-no-inputs.pt", ModelLoadReason.Unsupported)]
    [InlineData("signature-no-outputs.pt", ModelLoadReason.Unsupported)]
    [InlineData("signature-twice.pt", ModelLoadReason.Corrupt)]
    [InlineData("signature-type.pt", ModelLoadReason.Corrupt)]
    [InlineData("signature-negative.pt", ModelLoadReason.Corrupt)]
    [InlineData("signature-rank.pt", ModelLoadReason.Corrupt)]
    [InlineData("signature-many.pt", ModelLoadReason.Corrupt)]
    [InlineData("signature-long.pt", ModelLoadReason.Corrupt)]
    public void OfArchive_Bad_IsRefusedByName(string file, ModelLoadReason reason)
    {
        var error = Assert.Throws<ModelLoadException>(() => Read(File.ReadAllBytes(Path.Combine(TorchFiles.Folder, "tests", file))));
        Assert.True(reason == error.Reason, $"{error.Reason}: {error.Message}");
        Assert.Contains("'bad'", error.Message);
    }

    [Fact]
    public void OfArchive_SignatureThatUnpacksToMore_IsNotRead()
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create))
        using (var entry = zip.CreateEntry($"m/extra/{TorchSharpSignature.FileName}").Open())
            entry.Write(new byte[32 << 20]);
        Assert.Contains("more than 65536", Assert.Throws<ModelLoadException>(() => Read(stream.ToArray())).Message);
    }

    [Theory]
    [InlineData("input x float32 ?rows 4\noutput y int64 ?rows", true)]
    [InlineData("output y int64\ninput x bool 1 2 3 4 5 6 7 8\n", true)]
    [InlineData("input x float32 ?rows 4", false)]
    [InlineData("input x float32 4294967296 4294967296\noutput y int64 1", false)]
    [InlineData("input  float32 4\noutput y int64 1", false)]
    [InlineData("input x float32 +4\noutput y int64 1", false)]
    [InlineData("input x float32 4\noutput y int64 1\n\n", false)]
    [InlineData("input x float32 4 \noutput y int64 1", false)]
    [InlineData("input x float32 4\r\noutput y int64 1\r\n", false)]
    [InlineData("", false)]
    public void Parse_Text_FollowsTheHeadersForm(string text, bool holds)
    {
        if (holds) Assert.NotEmpty(TorchSharpSignature.Parse("m", text).Inputs);
        else Assert.Throws<ModelLoadException>(() => TorchSharpSignature.Parse("m", text));
    }

    [Fact]
    public void Parse_SpoiledTexts_NeverThrowAnythingElse()
    {
        var random = new Random(11);
        var good = Encoding.UTF8.GetBytes("input x float32 ?rows 4\noutput y int64 ?rows\n");
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = good.ToArray();
            for (var spoiled = 0; spoiled < 1 + (i % 4); spoiled++) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try
            {
                TorchSharpSignature.Parse("m", Encoding.UTF8.GetString(bytes));
            }
            catch (ModelLoadException)
            {
            }
        }
    }

    private static IEnumerable<string> Described(IEnumerable<TensorSpec> specs) => specs.Select(spec => $"{spec} {string.Join('|', spec.Symbols)}");

    private static unsafe TorchSharpSignature Read(byte[] bytes)
    {
        fixed (byte* pointer = bytes) return TorchSharpSignature.OfArchive("bad", new ReadOnlyNativeMemory(pointer, bytes.Length));
    }
}
