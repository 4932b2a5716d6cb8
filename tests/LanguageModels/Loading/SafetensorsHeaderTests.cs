using System.Text;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Loading;

/// <summary>Headers as the format has them are read, and each rule that one can break is an error that names it.</summary>
public sealed class SafetensorsHeaderTests
{
    private const string Good = """{"__metadata__": {"format": "pt"}, "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}, "a": {"dtype": "BF16", "shape": [1, 2], "data_offsets": [0, 4]}}""";

    [Fact]
    public void Parse_GoodHeader_GivesTheTensorsInTheOrderOfTheirData()
    {
        var tensors = SafetensorsHeader.Parse(Encoding.UTF8.GetBytes(Good), 12, "f");
        Assert.Equal(["a BF16 [1, 2] 0 4", "b F32 [2] 4 8"], tensors.Select(tensor => $"{tensor.Name} {tensor.Description} {tensor.Offset} {tensor.Length}"));
    }

    [Theory]
    [InlineData("{}", 0)] // a file without tensors
    [InlineData("""{"s": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}}   """, 4)] // a single number, and the padding that writers leave
    [InlineData("""{"e": {"dtype": "F32", "shape": [0, 9223372036854775807], "data_offsets": [0, 0]}}""", 0)] // empty, whatever the other dimension
    [InlineData("""{"e": {"data_offsets": [3, 3], "shape": [0], "dtype": "F32"}, "s": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]}}""", 3)]
    [InlineData("""{"q": {"dtype": "F4", "shape": [6], "data_offsets": [0, 3]}}""", 3)]
    [InlineData("""{"\u00fcn\u00efcode \u2713": {"dtype": "BOOL", "shape": [1], "data_offsets": [0, 1]}}""", 1)]
    public void Parse_UnusualButLegal_IsRead(string header, long data) => SafetensorsHeader.Parse(Encoding.UTF8.GetBytes(header), data, "f");

    [Theory]
    [InlineData("", 0, "does not begin with '{'")]
    [InlineData(" {}", 0, "does not begin with '{'")]
    [InlineData("[]", 0, "does not begin with '{'")]
    [InlineData("{", 0, "not JSON")]
    [InlineData("{} {}", 0, "not JSON")]
    [InlineData("{}\0", 0, "not JSON")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},}""", 4, "not JSON")]
    [InlineData("""{"a": 1}""", 0, "'a': it is not described by an object")]
    [InlineData("""{"a": {}}""", 0, "'a': it lacks one of dtype, shape and data_offsets")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1]}}""", 4, "'a': it lacks one of")]
    [InlineData("""{"": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}""", 4, "a tensor has no name")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}""", 8, "has 'a' twice")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "\u0061": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}""", 8, "has 'a' twice")]
    [InlineData("""{"__metadata__": {}, "__metadata__": {}}""", 0, "has '__metadata__' twice")]
    [InlineData("""{"__metadata__": {"a": 1}}""", 0, "__metadata__ is not an object of texts")]
    [InlineData("""{"__metadata__": "a"}""", 0, "__metadata__ is not an object of texts")]
    [InlineData("""{"__metadata__": {"a": {}}}""", 0, "__metadata__ is not an object of texts")]
    [InlineData("""{"a": {"dtype": "F32", "dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}""", 4, "its dtype is malformed or there twice")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], "stride": [1]}}""", 4, "a field 'stride' that the format does not know")]
    [InlineData("""{"a": {"dtype": 32, "shape": [1], "data_offsets": [0, 4]}}""", 4, "its dtype is malformed")]
    [InlineData("""{"a": {"dtype": "F33", "shape": [1], "data_offsets": [0, 4]}}""", 4, "its type 'F33' is none of the format's")]
    [InlineData("""{"a": {"dtype": "f32", "shape": [1], "data_offsets": [0, 4]}}""", 4, "its type 'f32' is none of the format's")]
    [InlineData("""{"a": {"dtype": "F32", "shape": 1, "data_offsets": [0, 4]}}""", 4, "its shape is malformed")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [[1]], "data_offsets": [0, 4]}}""", 4, "not JSON as the format has it")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [[[1]]], "data_offsets": [0, 4]}}""", 4, "not JSON as the format has it")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}""", 4, "its shape is malformed")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}}""", 4, "its shape is malformed")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [9223372036854775808], "data_offsets": [0, 4]}}""", 4, "its shape is malformed")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1,1,1,1,1,1,1,1,1], "data_offsets": [0, 4]}}""", 4, "its shape is malformed")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0]}}""", 4, "its data_offsets is malformed")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4, 4]}}""", 4, "its data_offsets is malformed")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": ["0", "4"]}}""", 4, "its data_offsets is malformed")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}""", 4, "its bytes 4 to 0 run backwards")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}""", 4, "its F32 [2] needs 8 bytes, its range 0 to 4 has 4")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [0], "data_offsets": [0, 4]}}""", 4, "needs 0 bytes, its range 0 to 4 has 4")]
    [InlineData("""{"a": {"dtype": "F4", "shape": [3], "data_offsets": [0, 2]}}""", 2, "is no number of bytes")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [4611686018427387904, 4], "data_offsets": [0, 0]}}""", 0, "is no number of bytes")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [9223372036854775807, 9223372036854775807, 9223372036854775807], "data_offsets": [0, 4]}}""", 4, "is no number of bytes")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}""", 3, "its bytes 0 to 4 are outside of the file's 3 bytes of data")]
    [InlineData("""{"a": {"dtype": "U8", "shape": [4], "data_offsets": [9223372036854775803, 9223372036854775807]}}""", 4, "are outside of the file's 4 bytes")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}""", 5, "bytes 4 to 5 of its data, after the last tensor, belong to no tensor")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [1, 5]}}""", 5, "bytes 0 to 1 of its data, before tensor 'a', belong to no tensor")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "b": {"dtype": "F32", "shape": [1], "data_offsets": [8, 12]}}""", 12, "bytes 4 to 8 of its data, before tensor 'b'")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "b": {"dtype": "F32", "shape": [1], "data_offsets": [3, 7]}}""", 7, "'b': its bytes 3 to 7 overlap those of 'a', which end at 4")]
    [InlineData("""{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}, "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}""", 4, "overlap")]
    public void Parse_BrokenRule_NamesFileAndRule(string header, long data, string problem)
    {
        var error = Assert.Throws<LanguageModelLoadException>(() => SafetensorsHeader.Parse(Encoding.UTF8.GetBytes(header), data, "w.safetensors"));
        Assert.StartsWith("w.safetensors: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_TextThatIsNotUtf8_IsRefused()
    {
        byte[] header = [.. "{\"a"u8, 0xFF, .. "\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [0, 4]}}"u8];
        Assert.Contains("not UTF-8", Assert.Throws<LanguageModelLoadException>(() => SafetensorsHeader.Parse(header, 4, "f")).Message, StringComparison.Ordinal);
        var surrogate = """{"a\ud800": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}"""u8.ToArray();
        Assert.Contains("not UTF-8", Assert.Throws<LanguageModelLoadException>(() => SafetensorsHeader.Parse(surrogate, 4, "f")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_LongOrManyNames_AreRefusedByTheirCaps()
    {
        var longest = new string('n', SafetensorsHeader.MaxNameBytes);
        Assert.Single(Parse(longest));
        Assert.Contains("longer than 256 bytes", Assert.Throws<LanguageModelLoadException>(() => Parse(longest + "n")).Message, StringComparison.Ordinal);
        Assert.Contains("longer than 256 bytes", Assert.Throws<LanguageModelLoadException>(() => Parse(new string('n', 1 << 20))).Message, StringComparison.Ordinal);

        var many = string.Join(',', Enumerable.Range(0, SafetensorsHeader.MaxTensors + 1).Select(i => $$"""
            "{{i}}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}
            """));
        var error = Assert.Throws<LanguageModelLoadException>(() => SafetensorsHeader.Parse(Encoding.UTF8.GetBytes($"{{{many}}}"), 0, "f"));
        Assert.Contains("more than 65536 tensors", error.Message, StringComparison.Ordinal);

        static IReadOnlyList<SafetensorsTensor> Parse(string name) =>
            SafetensorsHeader.Parse(Encoding.UTF8.GetBytes($$"""{"{{name}}": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]} }"""), 0, "f");
    }

    [Fact]
    public void Parse_ControlLettersInAName_DoNotReachTheMessage()
    {
        var error = Assert.Throws<LanguageModelLoadException>(() => SafetensorsHeader.Parse("""{"a\u001b[2Jx\nINFO all is well": 1}"""u8, 0, "f"));
        Assert.DoesNotContain(error.Message, char.IsControl);
    }

    [Theory]
    [InlineData(0, "too short")]
    [InlineData(7, "too short")]
    public void Open_FileShorterThanItsLength_IsRefused(int bytes, string problem) => Refused(new byte[bytes], problem);

    [Theory]
    [InlineData(ulong.MaxValue, "more than the format's")]
    [InlineData(100_000_001UL, "more than the format's")]
    [InlineData(1000UL, "the file has 2 after the length")]
    public void Open_LengthThatLies_IsRefusedBeforeMemoryIsTaken(ulong length, string problem) =>
        Refused([.. BitConverter.GetBytes(length), (byte)'{', (byte)'}'], problem);

    [Fact]
    public void Open_HeaderAboveTheCap_IsRefused() =>
        Refused(SafetensorsBytes.Of(new byte[SafetensorsHeader.MaxBytes + 1], []), "that are read");

    [Fact]
    public void Read_FileShortenedMeanwhile_IsAnError()
    {
        using var folder = TinyFolder.Create();
        using var file = SafetensorsFile.Open(folder.Path, "model.safetensors");
        var tensor = file.Tensors[^1];
        file.Read(tensor, 0, new byte[tensor.Length]);
        using (var shorter = File.OpenWrite(folder.File("model.safetensors"))) shorter.SetLength(shorter.Length - 1);
        var error = Assert.Throws<LanguageModelLoadException>(() => file.Read(tensor, 0, new byte[tensor.Length]));
        Assert.Contains("shrank while it was read", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_FileReplacedMeanwhile_GivesTheOpenedOne()
    {
        using var folder = TinyFolder.Create();
        using var file = SafetensorsFile.Open(folder.Path, "model.safetensors");
        File.WriteAllBytes(folder.File("other"), [1, 2, 3]);
        File.Move(folder.File("other"), folder.File("model.safetensors"), overwrite: true);
        var tensor = file.Tensors[0];
        var bytes = new byte[tensor.Length];
        file.Read(tensor, 0, bytes);
        Assert.Equal(folder.Weights.Bytes(tensor.Name), bytes);
    }

    private static void Refused(byte[] bytes, string problem)
    {
        using var folder = TinyFolder.Create();
        folder.Write("model.safetensors", bytes);
        var error = Assert.Throws<LanguageModelLoadException>(() => SafetensorsFile.Open(folder.Path, "model.safetensors"));
        Assert.StartsWith("model.safetensors", error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }
}
