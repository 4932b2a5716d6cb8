using System.Text;
using OpenGradient.Engine.Host.Client;
using OpenGradient.Engine.Tensors;

namespace OpenGradient.Engine.Hosting.Tests;

public sealed class SavedAnswerTests
{
    [Fact]
    public void Read_JsonAnswer_GivesItsTensors()
    {
        var answer = Read("""{"model_name":"m","outputs":[{"name":"y","datatype":"FP32","shape":[2,2],"data":[1.5,-0,null,1e-45]},{"name":"label","datatype":"INT64","shape":[1],"data":[-3]}]}""");
        Assert.Null(answer.Receipt);
        var y = answer.Outputs.Tensors[0];
        Assert.Equal(("y", ElementType.Float32), (y.Name, y.Type));
        Assert.Equal([2L, 2L], y.Shape.ToArray());
        Assert.Equal(new uint[] { 0x3fc0_0000, 0x8000_0000, 0, 1 }.SelectMany(BitConverter.GetBytes), y.Data.ToArray());
        Assert.Equal(BitConverter.GetBytes(-3L), answer.Outputs.Tensors[1].Data.ToArray());
    }

    [Fact]
    public void Read_BinaryOutputsBehindTheJson_AreTakenInOrder()
    {
        const string json = """{"outputs":[{"name":"a","datatype":"UINT8","shape":[2],"parameters":{"binary_data_size":2}},{"name":"b","datatype":"UINT8","shape":[1],"parameters":{"binary_data_size":1}}]}""";
        var answer = SavedAnswer.Read((byte[])[.. Encoding.UTF8.GetBytes(json), 7, 0x7b, 9], "file");
        Assert.Equal((byte[])[7, 0x7b], answer.Outputs.Tensors[0].Data.ToArray());
        Assert.Equal((byte[])[9], answer.Outputs.Tensors[1].Data.ToArray());
    }

    [Theory]
    [InlineData("{", "malformed JSON")]
    [InlineData("[]", "'outputs'")]
    [InlineData("""{"outputs":3}""", "'outputs'")]
    [InlineData("""{"outputs":[3]}""", "")]
    [InlineData("""{"outputs":[{"name":"y"}]}""", "")]
    [InlineData("""{"outputs":[{"name":"y","datatype":"FP99","shape":[1],"data":[1]}]}""", "FP99")]
    [InlineData("""{"outputs":[{"name":"y","datatype":"FP32","shape":[-1],"data":[1]}]}""", "negative")]
    [InlineData("""{"outputs":[{"name":"y","datatype":"FP32","shape":[2000000000],"data":[1]}]}""", "too large")]
    [InlineData("""{"outputs":[{"name":"y","datatype":"FP32","shape":[2],"data":[1]}]}""", "needs 2")]
    [InlineData("""{"outputs":[{"name":"y","datatype":"FP32","shape":[1],"data":["1"]}]}""", "element 0")]
    [InlineData("""{"outputs":[{"name":"y","datatype":"INT8","shape":[1],"data":[300]}]}""", "element 0")]
    [InlineData("""{"outputs":[{"name":"y","datatype":"FP32","shape":[1],"data":[1]},{"name":"y","datatype":"FP32","shape":[1],"data":[1]}]}""", "twice")]
    [InlineData("""{"outputs":[{"name":"y","datatype":"UINT8","shape":[1],"parameters":{"binary_data_size":1}}]}""", "bytes are left")]
    [InlineData("""{"outputs":[],"parameters":{"og_receipt":"AAAA"}}""", "receipt")]
    [InlineData("""{"outputs":[],"parameters":{"og_receipt":5}}""", "")]
    public void Read_WhatIsNoAnswer_IsRefusedByName(string text, string expected)
    {
        var refused = Assert.Throws<FormatException>(() => Read(text));
        Assert.StartsWith("answer 'file': ", refused.Message, StringComparison.Ordinal);
        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    private static SavedAnswer Read(string text) => SavedAnswer.Read(Encoding.UTF8.GetBytes(text), "file");
}
