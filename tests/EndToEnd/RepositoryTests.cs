using System.Text.Json;
using OpenGradient.Engine.EndToEnd.Tests.Running;

namespace OpenGradient.Engine.EndToEnd.Tests;

/// <summary>The model repository of a host that serves: index, load, unload, versions, and what a failing load leaves. No chain is needed.</summary>
public sealed class RepositoryTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private ServingHost _host = null!;

    public async Task InitializeAsync()
    {
        Describe("configured", "digits", "1", Digits);
        Describe("more/digits/2", "digits", "2", Digits);
        Describe("more/identity", "identity", "1", TestModel("identity.onnx"));
        Directory.CreateDirectory(_folder.At("more/nothing"));
        await File.WriteAllTextAsync(_folder.At("og.json"), """{"data":"data","models":[{"path":"configured"}],"modelsFolder":"more"}""");
        _host = await ServingHost.Start(_folder.At("og.json"), []);
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Index_ListsWhatServesAndWhatCould()
    {
        Assert.Equal(["digits 1 READY ", "digits 2 UNAVAILABLE not loaded", "identity 1 UNAVAILABLE not loaded"], await Index("{}"));
        Assert.Equal(["digits 1 READY "], await Index("""{"ready":true}"""));
        await File.WriteAllTextAsync(_folder.At("more/identity/model.json"), "{");
        Assert.Contains(await Index(""), line => line.StartsWith("identity  UNAVAILABLE", StringComparison.Ordinal) && line.Contains("model.json", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Load_Versions_AreServedBesideEachOtherAndTheNewestAnswers()
    {
        var loaded = (await Operator("models/digits/load", """{"parameters":{"og_version":"2"}}""")).Expect(200).Json.GetProperty("models");
        Assert.Equal("2", loaded[0].GetProperty("version").GetString());
        Assert.Equal("2", await VersionThatAnswers("digits"));
        (await _host.Infer("digits/versions/1", Inputs.Digit(0))).Expect(200);
        (await _host.Infer("digits/versions/2", Inputs.Digit(0))).Expect(200);
        Assert.Equal("""["1","2"]""", (await _host.Get("v2/models/digits")).Json.GetProperty("versions").ToString());

        (await Operator("models/digits/unload", """{"parameters":{"og_version":"2"}}""")).Expect(200);
        Assert.Equal("1", await VersionThatAnswers("digits"));
        (await _host.Infer("digits/versions/2", Inputs.Digit(0))).Expect(404);
        (await _host.Get("v2/models/digits/versions/2/ready")).Expect(404);
        Assert.Contains("digits 2 UNAVAILABLE unloaded", await Index(""));
        (await _host.Get("v2/health/ready")).Expect(200);

        (await Operator("models/digits/load")).Expect(200);
        Assert.Equal("2", await VersionThatAnswers("digits"));
        (await Operator("models/digits/unload")).Expect(200);
        (await _host.Infer("digits", Inputs.Digit(0))).Expect(404);
        (await Operator("models/digits/unload")).Expect(404);
    }

    [Fact]
    public async Task Load_BrokenFile_LeavesTheOldOneServingAndSaysWhy()
    {
        var identity = (await _host.Get("v2/models/digits")).Json.GetProperty("parameters").GetProperty("og_model_identity").GetString();
        await File.WriteAllTextAsync(_folder.At("configured/model.onnx"), "this is no model");
        var refused = (await Operator("models/digits/load", """{"parameters":{"og_version":"1"}}""")).Expect(422);
        Assert.Contains("'digits'", refused.Error);
        (await _host.Infer("digits", Inputs.Digit(0))).Expect(200);
        Assert.Contains(await Index(""), line => line.StartsWith("digits 1 READY serves what was loaded before: ", StringComparison.Ordinal));

        File.Copy(Digits, _folder.At("configured/model.onnx"), overwrite: true);
        var loaded = (await Operator("models/digits/load", """{"parameters":{"og_version":"1"}}""")).Expect(200).Json.GetProperty("models")[0];
        Assert.Equal(identity, loaded.GetProperty("identity").GetString());
        Assert.Contains("digits 1 READY ", await Index(""));
    }

    [Fact]
    public async Task Load_NewBytes_GiveANewIdentity()
    {
        var before = (await _host.Get("v2/models/digits")).Json.GetProperty("parameters").GetProperty("og_model_identity").GetString();
        // An unknown field at the end changes the bytes and nothing else.
        await using (var file = new FileStream(_folder.At("configured/model.onnx"), FileMode.Append)) file.Write([0xf8, 0x3f, 0x01]);
        (await Operator("models/digits/load", """{"parameters":{"og_version":"1"}}""")).Expect(200);
        var parameters = (await _host.Get("v2/models/digits")).Json.GetProperty("parameters");
        Assert.NotEqual(before, parameters.GetProperty("og_model_identity").GetString());
        Assert.Equal("ready", parameters.GetProperty("og_health").GetString());
    }

    [Theory]
    [InlineData("models/absent/load", "", 404, "in the configuration")]
    [InlineData("models/..%2f..%2fetc/load", "", 404, "in the configuration")]
    [InlineData("models/digits/load", """{"parameters":{"og_version":"9"}}""", 404, "'9'")]
    [InlineData("models/digits/load", """{"parameters":{"config":"{}"}}""", 400, "parameters.config")]
    [InlineData("models/digits/load", """{"parameters":{"file:1/model.onnx":"AAAA"}}""", 400, "file:1/model.onnx")]
    [InlineData("models/digits/load", """{"path":"/etc"}""", 400, "'path'")]
    [InlineData("models/digits/load", "{", 400, "not JSON")]
    [InlineData("models/digits/load", "[]", 400, "not a JSON object")]
    [InlineData("models/digits/unload", """{"parameters":{"og_version":2}}""", 400, "not text")]
    [InlineData("index", """{"ready":1}""", 400, "true or false")]
    public async Task Repository_WhatItDoesNotDo_IsRefusedByName(string path, string body, int code, string words)
    {
        Assert.Contains(words, (await Operator(path, body)).Expect(code).Error);
        (await _host.Infer("digits", Inputs.Digit(0))).Expect(200);
    }

    [Fact]
    public async Task Repository_OnThePublicListener_IsNotThere() =>
        (await _host.Post("v2/repository/models/digits/unload", new StringContent(""))).Expect(404);

    [Fact]
    public async Task Replace_WhileCallersAsk_NoRequestFails()
    {
        using var stop = new CancellationTokenSource();
        var answered = new int[8];
        var callers = Enumerable.Range(0, answered.Length).Select(index => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                (await _host.Infer("digits", Inputs.Digit(index))).Expect(200);
                Interlocked.Increment(ref answered[index]);
            }
        })).ToArray();
        try
        {
            for (var round = 0; round < 5; round++)
            {
                // Each round begins while everybody asks: a caller that failed is seen below.
                var before = (int[])answered.Clone();
                await Eventually.Holds("every caller is answered", () => Task.FromResult(Enumerable.Range(0, before.Length).All(index => Volatile.Read(ref answered[index]) > before[index] || callers[index].IsCompleted)));
                (await Operator("models/digits/load")).Expect(200);
                (await Operator("models/digits/unload", """{"parameters":{"og_version":"2"}}""")).Expect(200);
            }
        }
        finally
        {
            await stop.CancelAsync();
        }

        await Task.WhenAll(callers);
        Assert.All(answered, count => Assert.True(count > 0));
    }

    private static string Digits => Path.Combine(Repository.Models, "digits", "model.onnx");

    private static string TestModel(string name) => Path.Combine(Repository.Models, "tests", name);

    private void Describe(string folder, string name, string version, string file)
    {
        Directory.CreateDirectory(_folder.At(folder));
        File.WriteAllText(_folder.At($"{folder}/model.json"), JsonSerializer.Serialize(new { name, version, file = "model.onnx" }));
        File.Copy(file, _folder.At($"{folder}/model.onnx"));
    }

    private Task<Answer> Operator(string path, string body = "") => _host.Post($"{_host.OperatorUrl}v2/repository/{path}", new StringContent(body));

    private async Task<string[]> Index(string body) =>
        [.. (await Operator("index", body)).Expect(200).Json.EnumerateArray().Select(model =>
            $"{model.GetProperty("name").GetString()} {model.GetProperty("version").GetString()} {model.GetProperty("state").GetString()} {model.GetProperty("reason").GetString()}")];

    private async Task<string?> VersionThatAnswers(string model) =>
        (await _host.Infer(model, Inputs.Digit(0))).Expect(200).Json.GetProperty("model_version").GetString();
}
