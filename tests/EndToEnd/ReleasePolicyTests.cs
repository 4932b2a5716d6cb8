using System.Text.Json;
using System.Text.Json.Nodes;
using OpenGradient.Engine.EndToEnd.Tests.Running;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>When an answer is handed out: by header, by parameter, and when the wait runs out.</summary>
public sealed class ReleasePolicyTests(Line line) : IClassFixture<Line>
{
    private static readonly string[] Stages = ["executed", "durable", "verified", "anchored", "final"];

    [ChainTheory]
    [InlineData("fast")]
    [InlineData("durable")]
    [InlineData("verified")]
    [InlineData("anchored")]
    [InlineData("final")]
    public async Task Release_ByHeaderAndParameter_AnswersAtThatStageOrLater(string policy)
    {
        var least = policy == "fast" ? 0 : Array.IndexOf(Stages, policy);
        var byParameter = JsonNode.Parse(Inputs.Digit(1).Span)!.AsObject();
        byParameter["parameters"] = new JsonObject { ["og_release"] = policy };
        var answers = await Task.WhenAll(
            line.Host.Infer("digits", Inputs.Digit(0), policy),
            line.Host.Infer("digits", byParameter.ToJsonString()));
        foreach (var answer in answers)
        {
            answer.Expect(200);
            Assert.Equal(answer.Receipt.Id.ToString(), answer.ReceiptId);
            Assert.Equal(answer.ReceiptId, answer.Json.GetProperty("parameters").GetProperty("og_receipt_id").GetString());
            Assert.InRange(Array.IndexOf(Stages, answer.Stage), least, Stages.Length - 1);
            Assert.InRange(Array.IndexOf(Stages, await line.Host.StageOf(answer.ReceiptId!)), least, Stages.Length - 1);
        }
    }

    [ChainFact]
    public async Task Wait_ThatRunsOut_Is202AndTheAnswerIsFetchedOnce()
    {
        var answer = (await line.Host.Infer("digits", Inputs.Digit(3), "final", timeout: 1)).Expect(202);
        var id = answer.Json.GetProperty("id").GetString()!;
        Assert.Equal(id, answer.ReceiptId);
        Assert.Equal($"/v1/answers/{id}", answer.Json.GetProperty("answer").GetString());

        await line.Host.UntilStage(id, "final");
        var fetched = (await line.Host.Get($"v1/answers/{id}")).Expect(200);
        Assert.Equal(id, fetched.Receipt.Id.ToString());
        Assert.Equal("final", fetched.Stage);
        Assert.Equal("digits", fetched.Json.GetProperty("model_name").GetString());
        Assert.Contains("no answer is kept", (await line.Host.Get($"v1/answers/{id}")).Expect(404).Error);
        Assert.Empty(await Verifier.Check(await line.Host.Bundle(fetched.Receipt), line.Installation.TrustPolicy, line.Installation.Chain.Rpc));
    }

    [ChainFact]
    public async Task Cli_WaitThatRunsOut_ExitsThreeAndNamesTheReceipt()
    {
        var infer = await Og.Run("infer", "digits", "--url", line.Host.Url, "--input", Repository.HeldBackDigits, "--wait", "final", "--timeout", "0.001");
        Assert.Matches("/v1/answers/([0-9a-f]{32}) for an hour: og answer \\1", infer.Expect(Og.NotYet).Error);
    }

    [ChainFact]
    public async Task Events_OfAReceipt_ShowTheStagesInOrderAndEndWithFinal()
    {
        // A chain whose blocks the test makes: the stream tells where the receipt stands when it looks, and a stage that does not last may go untold.
        await using var chain = await Anvil.Start();
        using var installation = await Installation.Create(chain);
        await using var host = await installation.Serve();
        (await host.Infer("digits", Inputs.Digit(4), "final")).Expect(200);
        await chain.StopMining();
        var id = (await host.Infer("digits", Inputs.Digit(5))).Expect(200).ReceiptId!;
        var stages = new List<string>();
        using var limit = new CancellationTokenSource(Eventually.Limit);
        using var response = await host.Http.GetAsync($"v1/receipts/{id}/events", HttpCompletionOption.ResponseHeadersRead, limit.Token);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(limit.Token));
        while (await reader.ReadLineAsync(limit.Token) is { } text)
        {
            if (!text.StartsWith("data: ", StringComparison.Ordinal)) continue;
            using var data = JsonDocument.Parse(text[6..]);
            Assert.Equal(id, data.RootElement.GetProperty("id").GetString());
            stages.Add(data.RootElement.GetProperty("stage").GetString()!);
            if (stages[^1] == "verified")
            {
                await Eventually.Holds("the anchor's transaction is pending", async () => await chain.Pending() > 0);
                await chain.Mine();
            }
            else if (stages[^1] == "anchored")
            {
                await chain.Mine(3);
            }
        }

        Assert.Equal("final", stages[^1]);
        Assert.Contains("anchored", stages);
        Assert.Equal(stages.OrderBy(stage => Array.IndexOf(Stages, stage)), stages);
        Assert.Equal(stages.Distinct(), stages);

        var times = (await host.Get($"v1/receipts/{id}")).Json.GetProperty("times");
        Assert.Equal(Stages, times.EnumerateObject().OrderBy(time => time.Value.GetString(), StringComparer.Ordinal).Select(time => time.Name));
    }

    [ChainFact]
    public async Task Metrics_OnTheOperatorsListener_CountWhatWasAnswered()
    {
        await line.Host.Infer("digits", Inputs.Digit(0));
        using var metrics = await line.Host.Http.GetAsync(line.Host.OperatorUrl + "metrics");
        var text = await metrics.Content.ReadAsStringAsync();
        Assert.Matches("og_requests_total\\{model=\"digits\",version=\"1\"\\} [1-9]", text);
        Assert.Contains("og_trust_gap_seconds", text);
        Assert.Equal(404, (await line.Host.Get("metrics")).Code);
    }
}
