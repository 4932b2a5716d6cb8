using System.Collections.Concurrent;
using OpenGradient.Engine.EndToEnd.Tests.Running;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>Going out of service without losing what was taken in.</summary>
public sealed class DrainTests
{
    private const string Path = "/v2/models/digits/infer";

    [ChainTheory]
    [InlineData(0)]
    [InlineData(500)]
    public async Task Sigterm_UnderLoad_AnswersAllThatWasAdmittedAndNothingByHalf(int drainDelay)
    {
        const int Clients = 24;
        using var installation = await Installation.Create(await Anvil.Shared);
        var outcomes = new ConcurrentBag<RawOutcome>();
        await using (var host = await installation.Serve($"http.drainDelayMs={drainDelay}"))
        {
            var clients = Enumerable.Range(0, Clients).Select(index => Task.Run(() => Ask(new Uri(host.Url), index, outcomes))).ToArray();
            await Eventually.Holds("the host is busy", () => Task.FromResult(outcomes.Count >= 10 * Clients));
            host.Signal(Child.SigTerm);
            (await host.Exit()).Expect(Og.Ok);
            await Task.WhenAll(clients);
        }

        Assert.DoesNotContain(outcomes, outcome => outcome.End == RawEnd.Half);
        Assert.All(outcomes.Where(outcome => outcome.End == RawEnd.Answered), outcome => Assert.True(outcome.Code is 200 or 503, outcome.Body));
        Assert.All(outcomes.Where(outcome => outcome.Code == 503), outcome => Assert.Contains("draining", outcome.Body));

        // What was admitted was sealed and stored; each of it must have reached its caller whole, and nothing else.
        var answered = outcomes.Where(outcome => outcome.Code == 200).Select(outcome => outcome.Body).ToArray();
        Assert.All(answered, body => Assert.Contains("og_receipt", body));
        await using var next = await installation.Serve();
        var metrics = await MetricsText.Of(next);
        Assert.Equal(answered.Length, metrics.Sum("og_open_receipts") + metrics.Sum("og_final_receipts") + metrics.Sum("og_quarantined_receipts"));
    }

    [ChainFact]
    public async Task Sigterm_WithADelay_IsNotReadyFirstAndAnswersMeanwhile()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        await using var host = await installation.Serve("http.drainDelayMs=20000"); // the longest that there is: everything below must be answered within it
        using var kept = (await RawClient.Connect(new Uri(host.Url)))!;
        Assert.False((await kept.Post(Path, Inputs.Digit(0))).Closes);
        host.Signal(Child.SigTerm);
        await Eventually.Holds("the host is not ready", async () => (await host.Get("v2/health/ready")).Code == 503);
        (await host.Get("v2/health/live")).Expect(200);
        var answer = await kept.Post(Path, Inputs.Digit(1));
        Assert.Equal((RawEnd.Answered, 200, true), (answer.End, answer.Code, answer.Closes));
        Assert.Equal(RawEnd.NotTaken, (await kept.Post(Path, Inputs.Digit(2))).End);
        (await host.Exit()).Expect(Og.Ok);
    }

    [ChainFact]
    public async Task DrainEndpoint_OfTheOperator_RefusesInferenceAndKeepsTheHostUp()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        await using var host = await installation.Serve();
        var receipt = (await host.Infer("digits", Inputs.Digit(0), "durable")).Expect(200);
        Assert.Equal("serving", await State(host, HttpMethod.Get, 200));
        (await host.Post("v1/drain", new ByteArrayContent([]))).Expect(404); // not for the public
        await State(host, HttpMethod.Post, 202);
        await State(host, HttpMethod.Post, 202);
        await Eventually.Holds("the host is drained", async () => await State(host, HttpMethod.Get, 200) == "drained");

        (await host.Get("v2/health/ready")).Expect(503);
        var refused = (await host.Infer("digits", Inputs.Digit(1))).Expect(503);
        Assert.Contains("draining", refused.Error);
        Assert.Equal("1", refused.Header("Retry-After"));
        await host.UntilStage(receipt.ReceiptId!, "final");
        Assert.Equal(1, (await MetricsText.Of(host)).Sum("og_draining"));
        host.Signal(Child.SigTerm);
        (await host.Exit()).Expect(Og.Ok);
    }

    private static async Task<string?> State(ServingHost host, HttpMethod method, int code)
    {
        using var request = new HttpRequestMessage(method, host.OperatorUrl + "v1/drain");
        return (await Answer.Of(await host.Http.SendAsync(request))).Expect(code).Json.GetProperty("state").GetString();
    }

    /// <summary>Asks over kept connections until nobody listens any more.</summary>
    private static async Task Ask(Uri url, int seed, ConcurrentBag<RawOutcome> outcomes)
    {
        for (var index = seed; await RawClient.Connect(url) is { } client;)
        {
            using (client)
            {
                RawOutcome outcome;
                do outcomes.Add(outcome = await client.Post(Path, Inputs.Digit(index++)));
                while (outcome is { End: RawEnd.Answered, Closes: false });
            }
        }
    }
}
