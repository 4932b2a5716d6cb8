using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>A test that needs libtorch and a node; visibly skipped without.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TorchChainFactAttribute : FactAttribute
{
    public TorchChainFactAttribute() => Skip = ChainFactAttribute.Reason ?? Libtorch.Missing;
}

/// <summary>What <c>./run.sh --backend torch</c> serves, through the command line and HTTP, beside a host that serves the ONNX twins.</summary>
public sealed class TorchTests(Line line) : IClassFixture<Line>
{
    // models/README.md states it for the twins.
    private const double Tolerance = 1e-4;

    private static readonly string Twins = Repository.At("models", "torch");

    [TorchChainFact]
    public async Task Serve_TorchScriptTwins_AnswersAsOnnxWithReceiptsThatBecomeFinalAndVerify()
    {
        await Fill();
        using var installation = await Installation.Create(await Anvil.Shared, models: Twins);
        await using var host = await installation.Serve();
        foreach (var index in Enumerable.Range(0, 24))
        {
            var (expected, answer) = (await line.Host.Infer("digits", Inputs.Digit(index)), await host.Infer("digits", Inputs.Digit(index)));
            Assert.Equal("onnxruntime", BackendOf(expected.Expect(200).Receipt));
            Assert.Equal("libtorch", BackendOf(answer.Expect(200).Receipt));
            Assert.Equal(Numbers(expected, "label"), Numbers(answer, "label"));
            Assert.All(Numbers(expected, "logits").Zip(Numbers(answer, "logits")), pair => Assert.InRange(Math.Abs(pair.First - pair.Second), 0, Tolerance * Math.Max(1, Math.Abs(pair.First))));
        }

        using var folder = new TemporaryFolder();
        foreach (var (model, input) in ((string, string)[])[("digits", Repository.HeldBackDigits), ("encoder", Repository.Sentences)])
        {
            var file = folder.At(model + ".ogb");
            var infer = await Og.Run("infer", model, "--url", host.Url, "--input", input, "--item", "1", "--wait", "final", "--receipt", file);
            Assert.Contains("final", infer.Expect(Og.Ok).Output);
            Assert.Contains("everything holds", (await Og.Run("verify", file, "--trust", installation.Trust)).Expect(Og.Ok).Output);
            var receipt = ReceiptBundle.Decode(await File.ReadAllBytesAsync(file)).Receipt;
            Assert.Equal("libtorch", BackendOf(receipt));
            Assert.Equal("final", await host.StageOf(receipt.Id.ToString()));
            // The host of the ONNX twins has another log: its trust file knows nothing of this one.
            (await Og.Run("verify", file, "--trust", line.Installation.Trust)).Expect(Og.Failed);
        }
    }

    /// <summary>The classifier's archive is not tracked: it is its skeleton and the ONNX twin's weights.</summary>
    private static async Task Fill()
    {
        await using var fill = await Child.Start("python3", [Path.Combine(Twins, "fill.py"), Path.Combine(Twins, "digits")]);
        Assert.True(await fill.Exit() == 0, fill.Error);
    }

    private static string BackendOf(Receipt receipt) => Statement.Decode(receipt.Statement.Span).Context.Runtime.Backend;

    private static double[] Numbers(Answer answer, string output) =>
        [.. answer.Json.GetProperty("outputs").EnumerateArray().Single(each => each.GetProperty("name").ValueEquals(output)).GetProperty("data").EnumerateArray().Select(value => value.GetDouble())];
}
