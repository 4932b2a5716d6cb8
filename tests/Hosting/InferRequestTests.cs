using System.Text;
using OpenGradient.Engine.Host.Protocol;

namespace OpenGradient.Engine.Hosting.Tests;

public sealed class InferRequestTests
{
    private const string Good = """{"id":"a","inputs":[{"name":"x","shape":[2,2],"datatype":"FP32","data":[[1,2],[3,4.5]]}],"outputs":[{"name":"y"}],"parameters":{"og_release":"final","og_release_timeout_ms":250}}""";

    [Fact]
    public void Read_WholeRequest_KeepsEveryPart()
    {
        var request = Read(Good);

        Assert.Equal("a", request.Id);
        Assert.Equal("final", request.Release);
        Assert.Equal(250, request.ReleaseTimeoutMilliseconds);
        Assert.Equal(["y"], request.Outputs);
        var input = Assert.Single(request.Inputs);
        Assert.Equal([2L, 2L], input.Shape);
        Assert.Equal(new[] { 1f, 2f, 3f, 4.5f }.SelectMany(BitConverter.GetBytes), input.Data.ToArray());
    }

    [Theory]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}],"outputs":[{"name":"y"},{"name":"y"}]}""", "'y' is asked for twice")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}],"id":"\ud800"}""", "malformed JSON")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}],"\ud800":1}""", "malformed JSON")]
    public void Read_OutputTwiceOrHalfACharacter_IsRefusedByName(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<BadRequestException>(() => Read(json)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("0", RequestPriority.Normal)]
    [InlineData("1", RequestPriority.High)]
    [InlineData("2", RequestPriority.Normal)]
    [InlineData("3", RequestPriority.Low)]
    [InlineData("\"high\"", RequestPriority.High)]
    [InlineData("\"normal\"", RequestPriority.Normal)]
    [InlineData("\"low\"", RequestPriority.Low)]
    public void Read_Priority_IsANumberOrAName(string given, RequestPriority expected) =>
        Assert.Equal(expected, Read(WithParameters($"\"priority\":{given}")).Priority);

    [Fact]
    public void Read_Timeout_IsInMicroseconds()
    {
        Assert.Equal(TimeSpan.FromMilliseconds(1.5), Read(WithParameters("\"timeout\":1500")).Timeout);
        Assert.Null(Read(WithParameters("\"timeout\":0")).Timeout);
        Assert.Null(Read(Good).Timeout);
    }

    [Theory]
    [InlineData("\"priority\":4", "'priority': 4 is none of")]
    [InlineData("\"priority\":-1", "'priority'")]
    [InlineData("\"priority\":\"urgent\"", "'priority': 'urgent' is none of")]
    [InlineData("\"priority\":null", "'priority'")]
    [InlineData("\"timeout\":-1", "'timeout' is not a number of microseconds")]
    [InlineData("\"timeout\":1.5", "'timeout' is not a number of microseconds")]
    [InlineData("\"timeout\":\"1\"", "'timeout' is not a number of microseconds")]
    [InlineData("\"timeout\":18446744073709551615", "'timeout' is not a number of microseconds")]
    public void Read_BadQueueParameter_IsRefusedByName(string parameter, string expected) =>
        Assert.Contains(expected, Assert.Throws<BadRequestException>(() => Read(WithParameters(parameter))).Message, StringComparison.Ordinal);

    [Fact]
    public void Read_DataBeforeShape_IsTheSameRequest()
    {
        var request = Read("""{"inputs":[{"data":[7,-1],"datatype":"INT64","shape":[1,2],"name":"x"}]}""");

        Assert.Equal(new[] { 7L, -1L }.SelectMany(BitConverter.GetBytes), request.Inputs[0].Data.ToArray());
    }

    [Fact]
    public void Read_BinaryTensors_AreTakenInOrder()
    {
        const string json = """{"inputs":[{"name":"a","shape":[2],"datatype":"UINT8","parameters":{"binary_data_size":2}},{"name":"b","shape":[1],"datatype":"INT16","parameters":{"binary_data_size":2}}]}""";
        byte[] body = [.. Encoding.UTF8.GetBytes(json), 1, 2, 3, 4];

        var request = InferRequest.Read(body, json.Length);

        Assert.Equal([1, 2], request.Inputs[0].Data.ToArray());
        Assert.Equal([3, 4], request.Inputs[1].Data.ToArray());
    }

    [Theory]
    [InlineData("", "malformed JSON")]
    [InlineData("{", "malformed JSON")]
    [InlineData("[]", "the request is not an object")]
    [InlineData("{}", "no 'inputs'")]
    [InlineData("""{"inputs":[]}""", "no 'inputs'")]
    [InlineData("""{"inputs":{}}""", "'inputs' is not an array")]
    [InlineData("""{"surprise":1}""", "unknown property 'surprise'")]
    [InlineData("""{"inputs":[{"shape":[1],"datatype":"FP32","data":[1]}]}""", "input 0 has no name")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"data":[1]}]}""", "input 'x' has no datatype")]
    [InlineData("""{"inputs":[{"name":"x","datatype":"FP32","data":[1]}]}""", "input 'x' has no shape")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"FP32"}]}""", "input 'x' has no data")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"BYTES","data":["a"]}]}""", "datatype 'BYTES' is not supported")]
    [InlineData("""{"inputs":[{"name":"x","shape":[-1],"datatype":"FP32","data":[1]}]}""", "shape of input 0")]
    [InlineData("""{"inputs":[{"name":"x","shape":[2],"datatype":"FP32","data":[1]}]}""", "data has 1 elements, its shape needs 2")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1,2]}]}""", "more than 1 elements")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":["1"]}]}""", "element 0 is not a FP32 value")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1e39]}]}""", "element 0 is not a FP32 value")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[NaN]}]}""", "malformed JSON")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"UINT8","data":[256]}]}""", "element 0 is not a UINT8 value")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"UINT16","data":[-0]}]}""", "element 0 is not a UINT16 value")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"UINT64","data":[-0]}]}""", "element 0 is not a UINT64 value")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"INT64","data":[1.5]}]}""", "element 0 is not a INT64 value")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"BOOL","data":[1]}]}""", "element 0 is not a BOOL value")]
    [InlineData("""{"inputs":[{"name":"x","shape":[4611686018427387904,4],"datatype":"FP32","data":[]}]}""", "is too large")]
    [InlineData("""{"inputs":[{"name":"x","shape":[2147483647,2147483647],"datatype":"FP64","data":[]}]}""", "is too large")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","parameters":{"binary_data_size":4}}]}""", "0 bytes are left")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","parameters":{"binary_data_size":8}}]}""", "is 4 bytes, binary_data_size is 8")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}],"parameters":{"temperature":1}}""", "unknown parameter 'temperature'")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}],"parameters":{"og_release_timeout_ms":-1}}""", "og_release_timeout_ms")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]} x""", "malformed JSON")]
    public void Read_BadRequest_NamesWhatWasWrong(string body, string expected)
    {
        var refused = Assert.Throws<BadRequestException>(() => Read(body));

        Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_BytesThatNoInputNames_AreRefused()
    {
        byte[] body = [.. Encoding.UTF8.GetBytes(Good), 1];

        var refused = Assert.Throws<BadRequestException>(() => InferRequest.Read(body, Good.Length));

        Assert.Contains("1 bytes that no input names", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_DeepNesting_IsRefused()
    {
        var deep = new string('[', 10_000);

        Assert.Throws<BadRequestException>(() => Read($$"""{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":{{deep}}"""));
    }

    [Fact]
    public void Read_MutatedRequests_EndInARequestOrABadRequest()
    {
        var random = new Random(20261120);
        var refused = 0;
        for (var round = 0; round < 20_000; round++)
        {
            var body = Encoding.UTF8.GetBytes(Good);
            for (var flips = random.Next(1, 4); flips > 0; flips--) body[random.Next(body.Length)] = (byte)random.Next(256);
            try
            {
                InferRequest.Read(body.AsMemory(0, random.Next(body.Length + 1)), random.Next(body.Length + 1));
            }
            catch (BadRequestException)
            {
                refused++;
            }
        }

        Assert.True(refused > 10_000, $"only {refused} of 20,000 mutations were refused");
    }

    [Theory]
    [InlineData("FP32", "0.1")]
    [InlineData("FP64", "0.1")]
    [InlineData("FP16", "0.5")]
    [InlineData("INT8", "-128")]
    [InlineData("UINT16", "65535")]
    [InlineData("INT32", "-2147483648")]
    [InlineData("UINT32", "4294967295")]
    [InlineData("UINT64", "18446744073709551615")]
    [InlineData("BOOL", "true")]
    public void DataType_OneElement_RoundTripsThroughJson(string datatype, string value)
    {
        var input = Read($$"""{"inputs":[{"name":"x","shape":[1],"datatype":"{{datatype}}","data":[{{value}}]}]}""").Inputs[0];

        var rendered = Answers.Render(json => DataType.WriteElement(json, input.Code, input.Data.Span));

        Assert.Equal(value, Encoding.UTF8.GetString(rendered.WrittenSpan));
    }

    private static string WithParameters(string parameters) =>
        """{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}],"parameters":{""" + parameters + "}}";

    private static InferRequest Read(string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        return InferRequest.Read(bytes, bytes.Length);
    }
}
