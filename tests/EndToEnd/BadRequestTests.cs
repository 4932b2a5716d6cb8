using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>Whatever a stranger sends: an answer that names what was wrong, and a host that goes on.</summary>
public sealed class BadRequestTests(Line line) : IClassFixture<Line>, IAsyncLifetime
{
    private const string Pixels64 = "0,0,1,12,12,4,1,0,0,0,13,13,13,14,8,0,0,6,15,0,0,12,7,0,0,2,16,13,12,13,1,0,0,0,0,14,16,9,0,0,0,0,6,10,2,16,0,0,0,0,11,8,5,16,0,0,0,0,3,12,16,7,0,0";

    /// <summary>Name of the case, body, what the error must name.</summary>
    public static TheoryData<string, string, string> Bodies => new()
    {
        { "empty", "", "malformed JSON" },
        { "cut", "{\"inputs\":[{\"name\":\"pixels\"", "malformed JSON" },
        { "not JSON", "pixels=1", "malformed JSON" },
        { "an array", "[]", "not an object" },
        { "text behind", Request(Input()) + "x", "" },
        { "two objects", Request(Input()) + "{}", "" },
        { "too deep", string.Concat(Enumerable.Repeat("[", 100)), "" },
        { "no inputs", "{}", "inputs" },
        { "no tensors", "{\"inputs\":[]}", "inputs" },
        { "unknown property", "{\"surprise\":1}", "surprise" },
        { "inputs is text", "{\"inputs\":\"pixels\"}", "inputs" },
        { "tensor without name", Request("{\"shape\":[1,64],\"datatype\":\"FP32\",\"data\":[" + Pixels64 + "]}"), "no name" },
        { "unknown tensor", Request(Input(name: "pixel")), "pixel" },
        { "same tensor twice", Request(Input() + "," + Input()), "pixels" },
        { "a tensor too many", Request(Input() + "," + Input(name: "more")), "more" },
        { "no shape", Request("{\"name\":\"pixels\",\"datatype\":\"FP32\",\"data\":[" + Pixels64 + "]}"), "shape" },
        { "wrong shape", Request(Input(shape: "[1,8,8]")), "pixels" },
        { "wrong width", Request(Input(shape: "[1,63]", data: Pixels64[..^2])), "pixels" },
        { "no rows", Request(Input(shape: "[0,64]", data: "")), "pixels" },
        { "negative size", Request(Input(shape: "[-1,64]")), "shape of input 0" },
        { "size that overflows", Request(Input(shape: "[4611686018427387904,4611686018427387904]")), "too large" },
        { "rank 17", Request(Input(shape: "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,64]")), "shape of input 0" },
        { "shape of text", Request(Input(shape: "[\"1\",64]")), "shape of input 0" },
        { "no datatype", Request("{\"name\":\"pixels\",\"shape\":[1,64],\"data\":[" + Pixels64 + "]}"), "datatype" },
        { "wrong datatype", Request(Input(type: "INT32")), "pixels" },
        { "unknown datatype", Request(Input(type: "FP99")), "FP99" },
        { "datatype BYTES", Request(Input(type: "BYTES")), "BYTES" },
        { "too few elements", Request(Input(data: Pixels64[..^2])), "63 elements" },
        { "too many elements", Request(Input(data: Pixels64 + ",0")), "more than 64 elements" },
        { "element of text", Request(Input(data: "\"x\"" + Pixels64[1..])), "element 0" },
        { "element null", Request(Input(data: "null" + Pixels64[1..])), "element 0" },
        { "element too large", Request(Input(data: "1e39" + Pixels64[1..])), "element 0" },
        { "element NaN", Request(Input(data: "NaN" + Pixels64[1..])), "malformed JSON" },
        { "no data", Request("{\"name\":\"pixels\",\"shape\":[1,64],\"datatype\":\"FP32\"}"), "no data" },
        { "data is text", Request("{\"name\":\"pixels\",\"shape\":[1,64],\"datatype\":\"FP32\",\"data\":\"x\"}"), "not an array" },
        { "binary that is not there", Request("{\"name\":\"pixels\",\"shape\":[1,64],\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":256}}"), "256" },
        { "binary of a wrong size", Request("{\"name\":\"pixels\",\"shape\":[1,64],\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":255}}"), "binary_data_size is 255" },
        { "data and binary", Request(Input()[..^1] + ",\"parameters\":{\"binary_data_size\":256}}"), "both" },
        { "unknown output", Request(Input())[..^1] + ",\"outputs\":[{\"name\":\"mood\"}]}", "mood" },
        { "output without name", Request(Input())[..^1] + ",\"outputs\":[{}]}", "no name" },
        { "unknown release", Request(Input())[..^1] + ",\"parameters\":{\"og_release\":\"someday\"}}", "someday" },
    };

    [ChainTheory]
    [MemberData(nameof(Bodies))]
    public async Task Infer_BadBody_IsRefusedByName(string name, string body, string says)
    {
        var answer = (await line.Host.Infer("digits", body)).Expect(400);
        Assert.True(answer.Error.Contains(says, StringComparison.Ordinal), $"{name}: '{answer.Error}' does not name '{says}'");
        Private(answer);
    }

    [ChainFact]
    public async Task Infer_NotUtf8_IsRefused()
    {
        var body = Encoding.UTF8.GetBytes(Request(Input(name: "pixels?")));
        body[Array.IndexOf(body, (byte)'?')] = 0xff;
        Private((await line.Host.Infer("digits", body)).Expect(400));
    }

    [ChainTheory]
    [InlineData("v2/models/absent")]
    [InlineData("v2/models/absent/ready")]
    [InlineData("v2/models/digits/versions/9")]
    [InlineData("v2/models/digits/versions/9/ready")]
    [InlineData("v1/receipts/00112233445566778899aabbccddeeff")]
    [InlineData("v1/receipts/00112233445566778899aabbccddeeff/events")]
    [InlineData("v1/receipts/short")]
    [InlineData("v1/answers/00112233445566778899aabbccddeeff")]
    [InlineData("v1/leaves/00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")]
    [InlineData("v1/leaves/..%2f..%2fetc%2fpasswd")]
    [InlineData("..%2f..%2fetc%2fpasswd")]
    [InlineData("v2/surprise")]
    public async Task Get_WhatIsNotThere_Is404WithAnError(string path)
    {
        var answer = (await line.Host.Get(path)).Expect(404);
        Assert.NotEmpty(answer.Error);
        Private(answer);
    }

    [ChainFact]
    public async Task Infer_UnknownModelOrVersion_Is404AndNamed()
    {
        Assert.Contains("absent", (await line.Host.Infer("absent", Inputs.Digit(0))).Expect(404).Error);
        Assert.Contains("9", (await line.Host.Post("v2/models/digits/versions/9/infer", new ReadOnlyMemoryContent(Inputs.Digit(0)))).Expect(404).Error);
    }

    [ChainFact]
    public async Task Method_ThatARouteDoesNotHave_IsRefused()
    {
        foreach (var path in new[] { "v2/models/digits/infer", "v1/receipts", "v1/bundles" })
        {
            var answer = await line.Host.Get(path);
            Assert.InRange(answer.Code, 404, 405);
            Private(answer);
        }
    }

    [ChainFact]
    public async Task Headers_ThatAreWrong_AreNamed()
    {
        (string Name, string Value)[] wrong = [("OG-Release", "someday"), ("OG-Release", "FINAL"), ("OG-Release-Timeout-Ms", "soon"), ("OG-Release-Timeout-Ms", "-1"), ("Inference-Header-Content-Length", "x"), ("Inference-Header-Content-Length", "999999")];
        foreach (var header in wrong)
        {
            var answer = (await line.Host.Post("v2/models/digits/infer", new ReadOnlyMemoryContent(Inputs.Digit(0)), header)).Expect(400);
            Assert.True(answer.Error.Contains(header.Name == "OG-Release" ? header.Value : header.Name, StringComparison.Ordinal), answer.Error);
            Private(answer);
        }
    }

    [ChainFact]
    public async Task Host_ThatIsAnother_Is400OnBothListeners()
    {
        foreach (var url in new[] { line.Host.Url + "v2", line.Host.Url, line.Host.OperatorUrl + "metrics" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url) { Headers = { Host = "rebound.example" } };
            Assert.Contains("rebound.example", (await Answer.Of(await line.Host.Http.SendAsync(request))).Expect(400).Error);
        }
    }

    [ChainFact]
    public async Task Body_OverTheLimit_Is413DeclaredOrChunked()
    {
        await using var host = await ServingHost.Start(line.Installation.Config, ["http.maxBodyBytes=4096", "chain=", "data=" + Directory.CreateDirectory(Path.Combine(line.Installation.Root, "small")).FullName]);
        var large = Encoding.UTF8.GetBytes(Request(Input(data: new string(' ', 8000) + Pixels64)));
        Private((await host.Infer("digits", large)).Expect(413));

        using var chunked = new HttpRequestMessage(HttpMethod.Post, "v2/models/digits/infer") { Content = new StreamContent(new MemoryStream(large)), Headers = { TransferEncodingChunked = true } };
        chunked.Content.Headers.ContentLength = null;
        Private((await Answer.Of(await host.Http.SendAsync(chunked))).Expect(413));
        (await host.Infer("digits", Inputs.Digit(0))).Expect(200);
    }

    [ChainFact]
    public async Task Receipt_ThatIsNoReceipt_Is400()
    {
        byte[][] bodies = [[], [1, 2, 3], Encoding.ASCII.GetBytes("OGE receipt v1\0\0"), Encoding.ASCII.GetBytes("OGE receipt v9\0\0 and more"), new byte[20_000]];
        foreach (var path in new[] { "v1/receipts", "v1/bundles" })
            foreach (var body in bodies)
            {
                var answer = await line.Host.Post(path, new ByteArrayContent(body));
                Assert.Equal(body.Length > Receipt.MaxSize ? 413 : 400, answer.Code);
                Private(answer);
            }
    }

    [ChainFact]
    public async Task Receipt_TamperedInEachField_IsRefusedWithTheReason()
    {
        var receipt = (await line.Host.Infer("digits", Inputs.Digit(11))).Expect(200).Receipt;
        var statement = Statement.Decode(receipt.Statement.Span);
        var leaf = RowLeaf.Decode(receipt.Leaf.Span);
        var other = Hash256.Sha256([1]);
        byte[] Changed(ReadOnlyMemory<byte> bytes, int at)
        {
            var copy = bytes.ToArray();
            copy[at] ^= 1;
            return copy;
        }

        Receipt With(Statement changed) => receipt with { Statement = changed.Encode() };
        Receipt WithContext(StatementContext context) => With(statement with { Context = context });
        Receipt WithLeaf(RowLeaf changed) => receipt with { Leaf = changed.ToArray() };
        var context = statement.Context;
        (string Field, Receipt Tampered, string Reason)[] cases =
        [
            ("log", With(statement with { LogId = other }), "log-not-trusted"),
            ("epoch", With(statement with { Epoch = other }), "epoch-unknown"),
            ("sequence", With(statement with { Sequence = statement.Sequence + 1 }), "statement-signature-invalid"),
            ("signature r", With(statement with { Signature = Changed(statement.Signature, 3) }), "statement-signature-invalid"),
            ("signature s", With(statement with { Signature = Changed(statement.Signature, 40) }), "statement-signature-invalid"),
            ("signature v", With(statement with { Signature = Changed(statement.Signature, 64) }), "statement-signature-invalid"),
            ("model name", WithContext(context with { ModelName = "digitz" }), "statement-signature-invalid"),
            ("model version", WithContext(context with { ModelVersion = "2" }), "statement-signature-invalid"),
            ("model identity", WithContext(context with { ModelIdentity = other }), "statement-signature-invalid"),
            ("runtime", WithContext(context with { Runtime = context.Runtime with { LibraryDigest = other } }), "statement-signature-invalid"),
            ("rows root", With(statement with { RowsRoot = other }), "row-not-in-batch"),
            ("receipts", With(statement with { Receipts = statement.Receipts + 1 }), "row-not-in-batch"),
            ("batch rows", With(statement with { BatchRows = statement.BatchRows + 1 }), "statement-signature-invalid"),
            ("time", With(statement with { HostTime = statement.HostTime - 1 }), "statement-signature-invalid"),
            ("chain view", With(statement with { Chain = null }), "statement-signature-invalid"),
            ("body's byte", receipt with { Statement = Changed(receipt.Statement, receipt.Statement.Length - 1) }, "statement"),
            ("row", receipt with { Row = receipt.Row + 1 }, "row-"),
            ("salt", WithLeaf(leaf with { Salt = Changed(leaf.Salt, 0) }), "row-not-in-batch"),
            ("request", WithLeaf(leaf with { Request = other }), "row-not-in-batch"),
            ("output", WithLeaf(leaf with { Output = other }), "row-not-in-batch"),
            ("parameters", WithLeaf(leaf with { Parameters = other }), "row-not-in-batch"),
            ("first slot", WithLeaf(leaf with { FirstSlot = leaf.FirstSlot + 1 }), "row-"),
            ("rows", WithLeaf(leaf with { Rows = (ushort)(leaf.Rows + 1) }), "row-"),
            ("path", receipt with { Path = [.. receipt.Path, other] }, "row-not-in-batch"),
        ];
        foreach (var (field, tampered, reason) in cases)
        {
            var answer = await line.Host.Submit(tampered);
            Assert.True(answer.Code is 422 or 400, $"{field}: {answer.Code} {answer.Text}");
            Assert.True(answer.Error.Contains(reason, StringComparison.Ordinal), $"{field}: '{answer.Error}' does not name '{reason}'");
            Private(answer);
        }

        (await line.Host.Submit(receipt)).Expect(200);
    }

    [ChainFact]
    public async Task BinaryTensors_InAndOut_GiveTheSameAnswerAsJson()
    {
        var pixels = Pixels64.Split(',').Select(float.Parse).SelectMany(BitConverter.GetBytes).ToArray();
        var header = Encoding.UTF8.GetBytes("""{"id":"b1","inputs":[{"name":"pixels","shape":[1,64],"datatype":"FP32","parameters":{"binary_data_size":256}}],"outputs":[{"name":"logits","parameters":{"binary_data":true}},{"name":"label"}]}""");
        using var request = new HttpRequestMessage(HttpMethod.Post, "v2/models/digits/infer") { Content = new ByteArrayContent([.. header, .. pixels]) };
        request.Headers.Add("Inference-Header-Content-Length", $"{header.Length}");
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        var binary = (await Answer.Of(await line.Host.Http.SendAsync(request))).Expect(200);
        var jsonLength = int.Parse(binary.Header("Inference-Header-Content-Length")!);
        var answer = (binary with { Body = binary.Body[..jsonLength] }).Json;
        Assert.Equal("b1", answer.GetProperty("id").GetString());
        var logits = binary.Body.AsSpan(jsonLength).ToArray().Chunk(4).Select(bytes => BitConverter.ToSingle(bytes)).ToArray();
        Assert.Equal(10, logits.Length);

        var plain = (await line.Host.Infer("digits", Request(Input()))).Expect(200);
        var outputs = plain.Json.GetProperty("outputs").EnumerateArray().ToDictionary(output => output.GetProperty("name").GetString()!);
        Assert.Equal(outputs["label"].GetProperty("data")[0].GetInt64(), answer.GetProperty("outputs")[1].GetProperty("data")[0].GetInt64());
        foreach (var (json, index) in outputs["logits"].GetProperty("data").EnumerateArray().Select((value, index) => (value.GetSingle(), index))) Assert.Equal(json, logits[index], 1e-4f);

        // The request digest is over decoded tensors: both transports commit to the same input.
        var receipt = Receipt.Decode(answer.GetProperty("parameters").GetProperty("og_receipt").GetBytesFromBase64());
        Assert.Equal(RowLeaf.Decode(plain.Receipt.Leaf.Span).Request, RowLeaf.Decode(receipt.Leaf.Span).Request);
    }

    [ChainFact]
    public async Task Connection_ThatSpeaksNoHttp_DoesNotHurt()
    {
        foreach (var text in new[] { "\0\0\0\0\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", $"POST /v2/models/digits/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\nshort" })
        {
            using var client = new TcpClient("127.0.0.1", new Uri(line.Host.Url).Port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text));
        }

        (await line.Host.Infer("digits", Inputs.Digit(0))).Expect(200);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>After every case the host still answers.</summary>
    public async Task DisposeAsync()
    {
        if (Anvil.Binary is not null) (await line.Host.Get("v2/health/live")).Expect(200);
    }

    // What a stranger may not learn: where on this machine anything lies, or what the code looks like.
    private void Private(Answer answer)
    {
        foreach (var secret in new[] { line.Installation.Root, Repository.Root, "/tmp/", "/home/", "   at ", "Exception", "OpenGradient.Engine." })
            Assert.False(answer.Text.Contains(secret, StringComparison.Ordinal), $"the answer shows '{secret}': {answer.Text}");
    }

    private static string Request(string inputs) => $"{{\"inputs\":[{inputs}]}}";

    private static string Input(string name = "pixels", string shape = "[1,64]", string type = "FP32", string data = Pixels64) =>
        $"{{\"name\":\"{name}\",\"shape\":{shape},\"datatype\":\"{type}\",\"data\":[{data}]}}";
}
