using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Xunit.Abstractions;

namespace OpenGradient.Engine.Hosting.Tests.Fuzz;

/// <summary>A running host under malformed HTTP, hostile bodies, and bad requests among good ones from 64 callers.</summary>
public sealed class HttpFaultTests(HostProcess host, ITestOutputHelper output) : IClassFixture<HostProcess>, IAsyncLifetime
{
    private const int Callers = 64, Images = 16;

    private const string Head = "POST /v2/models/digits/infer HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n";

    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>After every case the host still answers.</summary>
    public async Task DisposeAsync()
    {
        Assert.False(host.HasExited, "the host has ended");
        Assert.Equal(200, (await host.Infer(Json(0))).Code);
    }

    [Fact]
    public async Task Infer_BadAmongGoodFrom64Callers_EachGetsItsOwnAnswer()
    {
        var expected = new byte[Images][];
        for (var i = 0; i < Images; i++) expected[i] = Logits(await host.Infer(Binary(i).Bytes, Binary(i).JsonLength));
        var before = await host.Metric("og_requests_total");
        var counts = await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
        {
            int good = 0, bad = 0;
            for (var i = 0; i < Bad.Length; i++)
            {
                var which = (caller + i) % Images;
                var body = Binary(which);
                Assert.Equal(expected[which], Logits(await host.Infer(body.Bytes, body.JsonLength)));
                good++;
                var (name, text, code, says) = Bad[(caller + i) % Bad.Length];
                var refused = await host.Infer(Encoding.UTF8.GetBytes(text), model: name == "unknown model" ? "nothing" : "digits");
                Refused(name, refused, code, says);
                bad++;
            }

            return (Good: good, Bad: bad);
        })));
        Assert.Equal(Callers * Bad.Length, counts.Sum(count => count.Bad));
        // Admitted is answered: only the good ones ever reached the engine.
        Assert.Equal(counts.Sum(count => count.Good), await host.Metric("og_requests_total") - before);
        Assert.Equal(0, await host.Metric("og_waiting_requests"));
        Assert.Equal(0, await host.Metric("og_failed_batches_total"));
    }

    /// <summary>What the engine of a request says is the same over a socket: 200 or a refusal with a text, never a fault of the host.</summary>
    [Fact]
    public async Task Infer_SpoiledBodies_AreAnsweredOrRefused()
    {
        var bodies = new List<SampleBody>();
        new FuzzRun(output, 400).Each(random => bodies.Add(Mutation.Of(random, Sample(random, random.Next(Images)))));
        var codes = new int[600];
        await Parallel.ForEachAsync(bodies, new ParallelOptions { MaxDegreeOfParallelism = Callers }, async (body, _) =>
        {
            var (code, answer) = await host.Infer(body.Bytes, body.JsonLength);
            Interlocked.Increment(ref codes[code]);
            if (code != 200) Refused($"base64 {Convert.ToBase64String(body.Bytes)}", (code, answer), 400, "");
        });
        output.WriteLine($"{codes[200]} answered, {codes[400]} refused");
        Assert.InRange(codes[400], 1, bodies.Count);
    }

    public static TheoryData<string, string, string?> Malformed => new()
    {
        { "no HTTP", "\0\0\0\0\r\n\r\n", "400" },
        { "no version", "GET /\r\n\r\n", "400" },
        { "another version", "GET / HTTP/9.9\r\n\r\n", "505" },
        { "no Host", "GET /v2 HTTP/1.1\r\n\r\n", "400" },
        { "a header without a name", "GET /v2 HTTP/1.1\r\nHost: 127.0.0.1\r\n: x\r\n\r\n", "400" },
        { "a header with a null", "GET /v2 HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\0b\r\n\r\n", "400" },
        { "headers without end", "GET /v2 HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + new string('x', 60_000) + "\r\n\r\n", "431" },
        { "a target without end", "GET /" + new string('a', 60_000) + " HTTP/1.1\r\n\r\n", "414" },
        { "a length of text", Head + "Content-Length: ten\r\n\r\n", "400" },
        { "a negative length", Head + "Content-Length: -1\r\n\r\n", "400" },
        { "a length that overflows", Head + "Content-Length: 99999999999999999999\r\n\r\n", "400" },
        { "a length over the limit", Head + "Content-Length: 9000000000000000000\r\n\r\n", "413" },
        { "two lengths", Head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "400" },
        { "a length too long", Head + "Content-Length: 500\r\n\r\n{}", null },
        { "a length too short", Head + "Content-Length: 1\r\n\r\n{}", "400" },
        { "no length", Head + "\r\n{}", "400" },
        { "chunks of no number", Head + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n", "400" },
        { "a chunk that overflows", Head + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}", "400" },
        { "a chunk cut short", Head + "Transfer-Encoding: chunked\r\n\r\n10\r\n{\"inputs\":", null },
        { "chunks without an end", Head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", null },
        { "a chunk longer than it says", Head + "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n", "400" },
        { "an unknown coding", Head + "Transfer-Encoding: gzip\r\n\r\n{}", "400" },
        { "a JSON length of two numbers", Head + "Inference-Header-Content-Length: 1\r\nInference-Header-Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "400" },
        { "a JSON length that overflows", Head + "Inference-Header-Content-Length: 4294967298\r\nContent-Length: 2\r\n\r\n{}", "400" },
        { "a JSON length that is negative", Head + "Inference-Header-Content-Length: -2\r\nContent-Length: 2\r\n\r\n{}", "400" },
    };

    /// <summary>A status, or null for what waits for more: cut off there, it gets a refusal or none.</summary>
    [Theory]
    [MemberData(nameof(Malformed))]
    public async Task Connection_MalformedHttp_IsRefusedAndClosed(string name, string bytes, string? status)
    {
        var answer = await host.Raw(Encoding.Latin1.GetBytes(bytes), cut: status is null);
        // A host that closes while bytes still come resets the connection, and the refusal may be lost with it.
        if (answer is null || (status is null && answer.Length == 0)) return;
        Assert.True(answer.StartsWith($"HTTP/1.1 {status ?? "4"}", StringComparison.Ordinal), $"{name}: {answer}");
        Assert.DoesNotContain("   at ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connections_CutAnywhere_LeaveTheHostServing()
    {
        var body = Json(1);
        byte[] whole = [.. Encoding.ASCII.GetBytes($"{Head}Content-Length: {body.Length}\r\n\r\n"), .. body];
        var before = await host.Metric("og_requests_total");
        var cuts = Enumerable.Range(0, whole.Length).Where(cut => cut % 5 == 0).ToArray();
        await Parallel.ForEachAsync(cuts, new ParallelOptions { MaxDegreeOfParallelism = Callers }, async (cut, _) => await host.Raw(whole[..cut], cut: true));
        Assert.StartsWith("HTTP/1.1 200", await host.Raw(whole, cut: false), StringComparison.Ordinal);
        // Of what was cut short nothing was executed.
        Assert.Equal(1, await host.Metric("og_requests_total") - before);
    }

    [Fact]
    public async Task Infer_BodyOverTheLimitFrom64Callers_Is413()
    {
        var large = new byte[HostProcess.MaxBodyBytes + 1];
        Array.Fill(large, (byte)'[');
        var answers = await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => host.Infer(large)));
        Assert.All(answers, answer => Assert.Equal(413, answer.Code));
        var largest = await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => host.Infer(large[..HostProcess.MaxBodyBytes])));
        Assert.All(largest, answer => Refused("a body of brackets", answer, 400, "not an object"));
    }

    /// <summary>Name, body, status, what the error must name.</summary>
    private static readonly (string Name, string Body, int Code, string Says)[] Bad =
    [
        ("unknown model", Text(), 404, "nothing"),
        ("empty", "", 400, "malformed JSON"),
        ("cut", Text()[..200], 400, "malformed JSON"),
        ("unknown property", Text()[..^1] + ",\"x\":1}", 400, "'x'"),
        ("property twice", Text()[..^1] + ",\"inputs\":[]}", 400, "'inputs' is given twice"),
        ("wrong name", Text(name: "pixel"), 400, "'pixel'"),
        ("wrong shape", Text(shape: "[1,8,8]"), 400, "[1,8,8]"),
        ("no rows", """{"inputs":[{"name":"pixels","shape":[0,64],"datatype":"FP32","data":[]}]}""", 400, "[0,64]"),
        ("size that overflows", Text(shape: "[4611686018427387904,64]"), 400, "too large"),
        ("rank beyond the limit", Text(shape: "[" + string.Join(',', Enumerable.Repeat(1, 17)) + "]"), 400, "at most 16 sizes"),
        ("rows over the limit", Rows(65), 400, "65 rows"),
        ("wrong type", Text(type: "INT64"), 400, "Int64"),
        ("unknown type", Text(type: "FP8"), 400, "'FP8'"),
        ("not a number", Text(first: "NaN"), 400, "malformed JSON"),
        ("a number too large", Text(first: "1e39"), 400, "element 0"),
        ("elements missing", Text(shape: "[2,64]"), 400, "its shape needs 128"),
        ("unknown output", Text()[..^1] + ",\"outputs\":[{\"name\":\"mood\"}]}", 400, "'mood'"),
        ("unknown parameter", Text()[..^1] + ",\"parameters\":{\"temperature\":1}}", 400, "'temperature'"),
        ("unknown release", Text()[..^1] + ",\"parameters\":{\"og_release\":\"someday\"}}", 400, "'someday'"),
    ];

    private static void Refused(string name, (int Code, byte[] Body) answer, int code, string says)
    {
        var text = Encoding.UTF8.GetString(answer.Body);
        Assert.True(answer.Code == code, $"{name}: {answer.Code}, not {code}: {text}");
        using var json = JsonDocument.Parse(answer.Body);
        var error = json.RootElement.GetProperty("error").GetString()!;
        Assert.True(error.Length is > 0 and < 1000 && error.Contains(says, StringComparison.Ordinal), $"{name}: '{error}' does not name '{says}'");
    }

    private static byte[] Logits((int Code, byte[] Body) answer)
    {
        Assert.True(answer.Code == 200, $"{answer.Code}: {Encoding.UTF8.GetString(answer.Body)}");
        // Ten floats stand behind the JSON.
        return answer.Body[^40..];
    }

    private static float[] Pixels(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 64).Select(_ => (float)random.Next(0, 17))];
    }

    private static SampleBody Binary(int seed)
    {
        var json = Encoding.UTF8.GetBytes("""{"inputs":[{"name":"pixels","shape":[1,64],"datatype":"FP32","parameters":{"binary_data_size":256}}],"outputs":[{"name":"logits","parameters":{"binary_data":true}}]}""");
        return new SampleBody([.. json, .. MemoryMarshal.AsBytes<float>(Pixels(seed))], json.Length);
    }

    private static SampleBody Sample(Random random, int seed) =>
        SampleRequests.Write(random, [new SampleTensor("pixels", 1, [1, 64], MemoryMarshal.AsBytes<float>(Pixels(seed)).ToArray())], _ => random.Next(2) == 0);

    private static byte[] Json(int seed) => Encoding.UTF8.GetBytes(Text(seed));

    private static string Text(int seed = 0, string name = "pixels", string shape = "[1,64]", string type = "FP32", string? first = null)
    {
        var data = Pixels(seed).Select(pixel => pixel.ToString(CultureInfo.InvariantCulture)).ToArray();
        if (first is not null) data[0] = first;
        return $$"""{"inputs":[{"name":"{{name}}","shape":{{shape}},"datatype":"{{type}}","data":[{{string.Join(',', data)}}]}]}""";
    }

    private static string Rows(int rows) => $$"""{"inputs":[{"name":"pixels","shape":[{{rows}},64],"datatype":"FP32","data":[{{string.Join(',', Enumerable.Repeat("0", rows * 64))}}]}]}""";
}
