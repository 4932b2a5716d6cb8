using System.Net.Http.Headers;
using System.Text;
using OpenGradient.Engine.EndToEnd.Tests.Running;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>That keys are callers to the queue, and what a deadline that cannot be kept is answered with.</summary>
public sealed class QueueOverHttpTests : IDisposable
{
    // More than one that is executed and the two that its key may have waiting; with one of the other key fewer than the queue holds.
    private const int AtOnce = 6;

    // A request fills a call, so that calls take long enough for others to wait.
    private const int Rows = 64, Sequence = 32;

    private static readonly string Tensors = string.Join(',', new[] { "input_ids", "attention_mask" }.Select(name =>
        $$"""{"name":"{{name}}","datatype":"INT64","shape":[{{Rows}},{{Sequence}}],"data":[{{string.Join(',', Enumerable.Repeat(1, Rows * Sequence))}}]}"""));

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task Infer_OneKeyAsksWithoutEnd_IsHeldToItsShareAndAnotherIsAnswered()
    {
        await using var host = await ServingHost.Start(Config(), ["http.apiKeysFile=" + Keys()]);
        using var stop = new CancellationTokenSource();
        var refusals = 0;
        var greedy = Enumerable.Range(0, AtOnce).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var answer = await Ask(host, "greedy", "");
                if (answer.Code == 200) continue;
                Assert.Contains("2 requests of caller 'key 1'", answer.Expect(429).Error, StringComparison.Ordinal);
                Assert.NotNull(answer.Header("Retry-After"));
                Interlocked.Increment(ref refusals);
                await Task.Delay(5);
            }
        })).ToArray();

        await Eventually.Holds("the greedy key is refused", () => Task.FromResult(Volatile.Read(ref refusals) > 0));
        (await Ask(host, "modest", "")).Expect(200);
        (await Ask(host, "modest", "\"priority\":\"high\"")).Expect(200);
        await Eventually.Holds("a deadline that cannot be kept is refused at once", async () =>
        {
            var answer = await Ask(host, "modest", "\"timeout\":1");
            // Nothing waited just then: admitted, and either in time or too late.
            if (answer.Code is 200 or 504) return false;
            Assert.Contains("would not be executed within its 0.001 ms", answer.Expect(503).Error, StringComparison.Ordinal);
            Assert.InRange(int.Parse(answer.Header("Retry-After")!), 1, 600);
            return true;
        });
        await stop.CancelAsync();
        await Task.WhenAll(greedy);
        (await Ask(host, "modest", "\"priority\":7")).Expect(400);
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<Answer> Ask(ServingHost host, string key, string parameters)
    {
        var body = $"{{\"inputs\":[{Tensors}],\"parameters\":{{{parameters}}}}}";
        using var request = new HttpRequestMessage(HttpMethod.Post, "v2/models/encoder/infer") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return await Answer.Of(await host.Http.SendAsync(request));
    }

    // One call at a time, and two of eight places for each key.
    private string Config() => _folder.Write("og.json", $$"""
        {"version":1,"data":"data","onnxRuntime":{"workers":1},
         "models":[{"path":"{{Repository.At("models", "encoder")}}","maxBatch":64,"maxQueuedRequests":8,"queue":{"callerShare":0.25} }]}
        """);

    private string Keys()
    {
        var file = _folder.Write("keys", "greedy\nmodest\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return file;
    }
}
