using System.Text.Json;
using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>What a newcomer does, through the command line and HTTP.</summary>
public sealed class HappyPathTests(Line line) : IClassFixture<Line>
{
    [ChainFact]
    public async Task Infer_WaitFinal_GivesAReceiptThatVerifies()
    {
        using var folder = new TemporaryFolder();
        var file = folder.At("seven.ogb");
        var infer = await Og.Run("infer", "digits", "--url", line.Host.Url, "--input", Repository.HeldBackDigits, "--item", "7", "--wait", "final", "--timeout", Og.Patience, "--receipt", file);
        Assert.Contains("final", infer.Expect(Og.Ok).Output);

        var verify = await Og.Run("verify", file, "--trust", line.Installation.Trust);
        Assert.Contains("everything holds", verify.Expect(Og.Ok).Output);
        Assert.Contains("NOT trusted", verify.Output);

        var show = await Og.Run("receipt", "show", file);
        using var shown = JsonDocument.Parse(show.Expect(Og.Ok).Output);
        Assert.Equal("digits", shown.RootElement.GetProperty("statement").GetProperty("model").GetString());
        Assert.True(shown.RootElement.TryGetProperty("anchor", out _));
    }

    [ChainFact]
    public async Task Infer_Encoder_GivesAReceiptThatVerifies()
    {
        using var folder = new TemporaryFolder();
        var file = folder.At("sentence.ogb");
        (await Og.Run("infer", "encoder", "--url", line.Host.Url, "--input", Repository.Sentences, "--item", "1", "--wait", "final", "--timeout", Og.Patience, "--receipt", file)).Expect(Og.Ok);
        (await Og.Run("verify", file, "--trust", line.Installation.Trust)).Expect(Og.Ok);
    }

    [ChainFact]
    public async Task Infer_Fast_IsSubmittedAndFollowedToFinal()
    {
        using var folder = new TemporaryFolder();
        var file = folder.At("fast.ogb");
        (await Og.Run("infer", "digits", "--url", line.Host.Url, "--input", Repository.HeldBackDigits, "--receipt", file)).Expect(Og.Ok);
        (await Og.Run("submit", file, "--url", line.Host.Url)).Expect(Og.Ok);
        var receipt = ReceiptBundle.Decode(File.ReadAllBytes(file)).Receipt;
        await line.Host.UntilStage(receipt.Id.ToString(), "final");

        // The file of before is a promise still; what has grown since is fetched with the receipt.
        Assert.Contains("anchor-missing", (await Og.Run("verify", file, "--trust", line.Installation.Trust)).Expect(Og.Failed).Output);
        await File.WriteAllBytesAsync(file, await line.Host.Bundle(receipt));
        (await Og.Run("verify", file, "--trust", line.Installation.Trust)).Expect(Og.Ok);
    }

    [ChainFact]
    public async Task Demo_ShippedInputs_EndsWhenEveryReceiptIsFinalAndEachVerifies()
    {
        using var folder = new TemporaryFolder();
        var demo = await Og.Run(
            "demo", "--timeout", Og.Patience, "--url", line.Host.Url, "--receipts", folder.At("receipts"), "--input", $"digits={Repository.HeldBackDigits}:24", "--input", $"encoder={Repository.Sentences}");
        Assert.Contains("every receipt is final", demo.Expect(Og.Ok).Output);

        var bundles = Directory.GetFiles(folder.At("receipts"), "*.ogb").Select(File.ReadAllBytes).ToArray();
        Assert.Equal(24 + Inputs.Sentences.Count, bundles.Length);
        foreach (var bundle in bundles) Assert.Empty(await Verifier.Check(bundle, line.Installation.TrustPolicy, line.Installation.Chain.Rpc));
        (await Og.Run("verify", Directory.GetFiles(folder.At("receipts"))[0], "--trust", line.Installation.Trust)).Expect(Og.Ok);
    }

    [ChainFact]
    public async Task Callers_InOneBatch_EachHoldAReceiptThatVerifies()
    {
        var answers = new List<Answer>();

        // How many share a backend call is the host's business and depends on load: asked until some did.
        await Eventually.Holds("several callers share a batch", async () =>
        {
            answers.AddRange(await Task.WhenAll(Enumerable.Range(0, 48).Select(index => line.Host.Infer("digits", Inputs.Digit(index)))));
            return answers.GroupBy(answer => answer.Expect(200).Receipt.StatementId).Any(batch => batch.Count() > 2);
        });
        var shared = answers.Select(answer => answer.Receipt).GroupBy(receipt => receipt.StatementId).OrderByDescending(batch => batch.Count()).First().ToArray();
        Assert.Equal(shared.Length, shared.Select(receipt => receipt.Id).Distinct().Count());
        foreach (var receipt in shared)
        {
            await line.Host.UntilStage(receipt.Id.ToString(), "final");
            Assert.Empty(await Verifier.Check(await line.Host.Bundle(receipt), line.Installation.TrustPolicy, line.Installation.Chain.Rpc));
        }

        await Audit.Run(line.Installation, shared.Take(1).ToArray());
    }

    [ChainFact]
    public async Task HeldBackDigits_OverHttp_AreAsAccurateAsTheModelSays()
    {
        using var description = JsonDocument.Parse(File.ReadAllBytes(Repository.At("models", "digits", "model.json")));
        var accuracy = description.RootElement.GetProperty("accuracy");
        using var inputs = JsonDocument.Parse(File.ReadAllBytes(Repository.HeldBackDigits));
        var labels = inputs.RootElement.EnumerateArray().Select(item => item.GetProperty("label").GetInt32()).ToArray();
        Assert.Equal(accuracy.GetProperty("images").GetInt32(), labels.Length);

        var correct = 0;
        foreach (var chunk in Enumerable.Range(0, labels.Length).Chunk(60))
        {
            var answers = await Task.WhenAll(chunk.Select(index => line.Host.Infer("digits", Inputs.Digit(index))));
            correct += chunk.Zip(answers, (index, answer) => Label(answer.Expect(200)) == labels[index] ? 1 : 0).Sum();
        }

        Assert.Equal(accuracy.GetProperty("correct").GetInt32(), correct);
    }

    [ChainFact]
    public async Task Local_WithoutARunningHost_AnswersByItself()
    {
        using var installation = await Installation.Create(await Anvil.Shared);
        using var folder = new TemporaryFolder();
        var file = folder.At("local.ogb");
        (await Og.Run("infer", "digits", "--local", "--config", installation.Config, "--input", Repository.HeldBackDigits, "--wait", "final", "--timeout", Og.Patience, "--receipt", file)).Expect(Og.Ok);
        (await Og.Run("verify", file, "--trust", installation.Trust)).Expect(Og.Ok);
    }

    private static int Label(Answer answer) =>
        answer.Json.GetProperty("outputs").EnumerateArray().Single(output => output.GetProperty("name").GetString() == "label").GetProperty("data")[0].GetInt32();
}
