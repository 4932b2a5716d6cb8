using System.Text;
using System.Text.Json;
using OpenGradient.Engine.EndToEnd.Tests.Running;
using OpenGradient.Engine.Formats;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary><c>og replay</c>: another process, the receipt and the input.</summary>
public sealed class ReplayTests(ReplayHost host) : IClassFixture<ReplayHost>
{
    private const int WrongModel = 14, WrongInput = 15, WrongOutput = 16;

    [Fact]
    public async Task Replay_AnswersOfConcurrentCallers_AreReproduced()
    {
        string[] models = ["digits", "encoder", "slot", "shape", "totals", "lengths", "multi", "add"];
        // Sent together, so that they share calls with requests that the receipts say nothing of.
        var answers = await Task.WhenAll(models.SelectMany(model => Enumerable.Range(0, 12).Select(async i => (Model: model, Body: ReplayHost.Body(model, i), Answer: await host.Infer(model, ReplayHost.Body(model, i))))));
        foreach (var each in models.Select(model => answers.Where(answer => answer.Model == model).MaxBy(answer => Statement.Decode(answer.Answer.Receipt.Statement.Span).BatchRows)))
        {
            var input = host.Folder.Write($"{each.Model}-input.json", each.Body);
            var saved = host.Folder.Write($"{each.Model}-answer.json", each.Answer.Text);
            var receipt = host.Folder.At($"{each.Model}.ogr");
            await File.WriteAllBytesAsync(receipt, each.Answer.Receipt.Encode());
            var result = (await Og.Run("replay", receipt, "--input", input, "--output", saved, "--model", ReplayHost.ModelFile(each.Model))).Expect(Og.Ok).Output;
            Assert.StartsWith("reproduced: ", result);
            Assert.Matches(@"executed\s+\d+ rows? (alone|among dummy neighbours) at slot \d+ of a call of \d+ row", result);
            Assert.Matches(@"signature\s+not checked", result);
            Assert.DoesNotContain("output ", result);
        }
    }

    [Fact]
    public async Task Replay_WholeAnswerAsReceipt_NamesTheFlippedElement()
    {
        var (input, answer) = await Digit("whole");
        // The folder of models that the repository ships is where a model is looked for.
        Assert.StartsWith("reproduced: ", (await Og.Run("replay", answer, "--input", input)).Expect(Og.Ok).Output);

        using var document = JsonDocument.Parse(await File.ReadAllTextAsync(answer));
        var logits = document.RootElement.GetProperty("outputs")[0].GetProperty("data");
        var third = logits[2].GetRawText();
        var next = BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(logits[2].GetSingle()) ^ 1);
        var changed = (await File.ReadAllTextAsync(answer)).Replace(third, next.ToString("R", System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        var result = (await Og.Run("replay", host.Folder.Write("changed.json", changed), "--input", input)).Expect(WrongOutput).Output;
        Assert.StartsWith("wrong output: ", result);
        Assert.Contains("logits[0,2] is ", result);
        Assert.Contains("1 of 10 elements differ", result);
    }

    [Fact]
    public async Task Replay_WrongModelOrInputOrReceipt_HasItsOwnExitCode()
    {
        var (input, answer) = await Digit("wrong");
        Assert.StartsWith("wrong model: ", (await Og.Run("replay", answer, "--input", input, "--model", ReplayHost.ModelFile("identity"))).Expect(WrongModel).Output);

        var other = host.Folder.Write("other.json", (await File.ReadAllTextAsync(input)).Replace("[0,", "[1,", StringComparison.Ordinal));
        Assert.NotEqual(await File.ReadAllTextAsync(input), await File.ReadAllTextAsync(other));
        Assert.StartsWith("wrong input: ", (await Og.Run("replay", answer, "--input", other)).Expect(WrongInput).Output);

        var receipt = Answer(answer).Encode();
        receipt[^1] ^= 1;
        receipt[^40] ^= 1;
        await File.WriteAllBytesAsync(host.Folder.At("damaged.ogr"), receipt);
        Assert.StartsWith("receipt invalid: ", (await Og.Run("replay", host.Folder.At("damaged.ogr"), "--input", input)).Expect(Og.Failed).Output);
    }

    [Fact]
    public async Task Replay_Json_IsOneObjectWithTheOutcome()
    {
        var (input, answer) = await Digit("json");
        using var good = JsonDocument.Parse((await Og.Run("replay", answer, "--input", input, "--json")).Expect(Og.Ok).Output);
        Assert.Equal("reproduced", good.RootElement.GetProperty("outcome").GetString());
        Assert.Equal(good.RootElement.GetProperty("committed").GetString(), good.RootElement.GetProperty("executed").GetProperty("digest").GetString());
        Assert.Equal(JsonValueKind.Null, good.RootElement.GetProperty("trust").ValueKind);
        Assert.True(good.RootElement.GetProperty("answer").GetProperty("committed").GetBoolean());

        using var bad = JsonDocument.Parse((await Og.Run("replay", answer, "--input", input, "--model", ReplayHost.ModelFile("noop"), "--json")).Expect(WrongModel).Output);
        Assert.Equal("wrong-model", bad.RootElement.GetProperty("outcome").GetString());
        Assert.Equal(WrongModel, bad.RootElement.GetProperty("exitCode").GetInt32());
    }

    [Fact]
    public async Task Replay_FilesThatAreUnusable_AreNamed()
    {
        var (input, answer) = await Digit("files");
        Assert.Contains("absent.ogb", (await Og.Run("replay", host.Folder.At("absent.ogb"), "--input", input)).Expect(Og.Usage).Error);
        Assert.Contains("absent.json", (await Og.Run("replay", answer, "--input", host.Folder.At("absent.json"))).Expect(Og.Usage).Error);
        Assert.Contains("absent.json", (await Og.Run("replay", answer, "--input", input, "--output", host.Folder.At("absent.json"))).Expect(Og.Usage).Error);
        Assert.Contains("no receipt", (await Og.Run("replay", host.Folder.Write("bare.json", """{"outputs":[]}"""), "--input", input)).Expect(Og.Usage).Error);
        Assert.Contains("--tolerance", (await Og.Run("replay", answer, "--input", input, "--tolerance", "-1")).Expect(Og.Usage).Error);
        Assert.Contains("--item 360", (await Og.Run("replay", answer, "--input", Repository.HeldBackDigits, "--item", "360")).Expect(Og.Usage).Error);
        Assert.Contains("/nonexistent", (await Og.Run("replay", answer, "--input", input, "--model", "/nonexistent")).Expect(Og.Usage).Error);
    }

    [Fact]
    public async Task Infer_OutputOption_WritesAnAnswerThatReplays()
    {
        using var folder = new TemporaryFolder();
        var infer = await Og.Run("infer", "digits", "--url", host.Url, "--input", Repository.HeldBackDigits, "--item", "7", "--output", folder.At("answer.json"));
        Assert.Contains("wrote ", infer.Output);
        (await Og.Run("replay", folder.At("answer.json"), "--input", Repository.HeldBackDigits, "--item", "7")).Expect(Og.Ok);
        (await Og.Run("replay", folder.At("answer.json"), "--input", Repository.HeldBackDigits, "--item", "8")).Expect(WrongInput);
    }

    private static Receipt Answer(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(file));
        return Receipt.Decode(document.RootElement.GetProperty("parameters").GetProperty("og_receipt").GetBytesFromBase64());
    }

    private async Task<(string Input, string Answer)> Digit(string name)
    {
        var body = Encoding.UTF8.GetString(Inputs.Digit(3).Span);
        var answer = await host.Infer("digits", body);
        return (host.Folder.Write($"{name}-input.json", body), host.Folder.Write($"{name}-answer.json", answer.Text));
    }
}

/// <summary>A host without a chain that serves the shipped models and the tests' own.</summary>
public sealed class ReplayHost : IAsyncLifetime
{
    private static readonly string[] Served = ["digits", "encoder", "slot", "shape", "totals", "lengths", "multi", "add"];
    private ServingHost? _host;

    internal TemporaryFolder Folder { get; } = new();

    internal string Url => _host!.Url;

    internal Task<Answer> Infer(string model, string body) => _host!.Infer(model, body);

    internal static string ModelFile(string model) => model is "digits" or "encoder" ? Repository.At("models", model, "model.onnx") : Repository.At("models", "tests", $"{model}.onnx");

    public async Task InitializeAsync()
    {
        var models = string.Join(",", Served.Select(model => $$"""{"path":"{{ModelFile(model)}}","name":"{{model}}"}"""));
        _host = await ServingHost.Start(Folder.Write("og.json", $$"""{"data":"data","models":[{{models}}]}"""), []);
    }

    public async Task DisposeAsync()
    {
        if (_host is not null) await _host.DisposeAsync();
        Folder.Dispose();
    }

    /// <summary>Some request to a model; of several rows now and then, of varied lengths where they are open.</summary>
    internal static string Body(string model, int seed)
    {
        var rows = 1 + (seed % 3);
        var length = 3 + (2 * (seed % 2));
        (string Name, string Type, int[] Shape)[] inputs = model switch
        {
            "digits" => [("pixels", "FP32", [rows, 64])],
            "encoder" => [("input_ids", "INT64", [rows, 32]), ("attention_mask", "INT64", [rows, 32])],
            "slot" => [("x", "FP32", [rows, 33])],
            "shape" => [("x", "FP32", [rows, 128, 64])],
            "totals" or "lengths" => [("x", "FP32", [rows, length * 11])],
            "add" => [("a", "FP32", [rows, 3]), ("b", "FP32", [rows, 3])],
            "multi" => [("f32", "FP32", [rows, 2]), ("f64", "FP64", [rows, 2]), ("i32", "INT32", [rows, 2]), ("i64", "INT64", [rows, 2]), ("u8", "UINT8", [rows, 2]), ("bool", "BOOL", [rows, 2])],
            _ => throw new ArgumentException(model),
        };
        var random = new Random(seed);
        return $$"""{"inputs":[{{string.Join(",", inputs.Select(input => Tensor(input.Name, input.Type, input.Shape, random)))}}]}""";
    }

    private static string Tensor(string name, string type, int[] shape, Random random)
    {
        var data = Enumerable.Range(0, shape.Aggregate(1, (product, size) => product * size)).Select(_ => type switch
        {
            "FP32" => random.NextSingle().ToString("R", System.Globalization.CultureInfo.InvariantCulture),
            "FP64" => random.NextDouble().ToString("R", System.Globalization.CultureInfo.InvariantCulture),
            "BOOL" => random.Next(2) == 0 ? "true" : "false",
            _ => name.Contains("mask", StringComparison.Ordinal) ? "1" : $"{random.Next(200)}",
        });
        return $$"""{"name":"{{name}}","datatype":"{{type}}","shape":[{{string.Join(",", shape)}}],"data":[{{string.Join(",", data)}}]}""";
    }
}

/// <summary>A replay that is asked to check who signed, as well.</summary>
public sealed class ReplayTrustTests(Line line) : IClassFixture<Line>
{
    [ChainFact]
    public async Task Replay_WithATrustFile_ChecksSignatureEvidenceAndProofToo()
    {
        using var folder = new TemporaryFolder();
        string[] input = ["--input", Repository.HeldBackDigits, "--item", "2"];
        (await Og.Run(["infer", "digits", "--url", line.Host.Url, .. input, "--wait", "final", "--receipt", folder.At("two.ogb"), "--output", folder.At("two.json")])).Expect(Og.Ok);

        var whole = (await Og.Run(["replay", folder.At("two.ogb"), .. input, "--trust", line.Installation.Trust])).Expect(Og.Ok).Output;
        Assert.StartsWith("reproduced: ", whole);
        Assert.Contains("hold under the trust file", whole);

        // The answer carries the receipt alone: its bits are right, and nothing shows who stands behind them.
        var bare = (await Og.Run(["replay", folder.At("two.json"), .. input, "--trust", line.Installation.Trust])).Expect(Og.Failed).Output;
        Assert.StartsWith("reproduced: ", bare);
        Assert.Contains("evidence-missing", bare);
    }
}
