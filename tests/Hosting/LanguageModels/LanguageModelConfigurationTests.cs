using System.Collections;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Hosting.Tests.LanguageModels;

public sealed class LanguageModelConfigurationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("og-language-config-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Load_OneModel_KeepsTheDefaultsOfWhatIsNotGiven()
    {
        var model = Assert.Single(Load("""{"languageModels":[{"path":"m","cacheMiB":64}]}""").LanguageModels);
        Assert.Equal(new LanguageModelConfiguration { Path = Path.Combine(_folder, "m"), CacheMiB = 64 }, model);
        Assert.Equal((1024, 32, 256, true, 64), (model.MaxQueued, model.MaxSequences, model.PrefillTokensPerStep, model.ReusePrefixes, model.HeadEveryTokens));
    }

    [Fact]
    public void Load_NoFile_ServesNone()
    {
        var configuration = ConfigurationLoader.Load(null, new Hashtable(), []);
        Assert.Empty(configuration.LanguageModels);
        Assert.Equal(new KernelsConfiguration(), configuration.Kernels);
    }

    [Theory]
    [InlineData("""{"languageModels":[{"path":""}]}""", "languageModels[0].path")]
    [InlineData("""{"languageModels":[{"path":"m"},{"path":"m","name":""}]}""", "languageModels[1].name")]
    [InlineData("""{"languageModels":[{"path":"m","scheme":"fp8"}]}""", "'fp8' is none of bf16, int8, int4")]
    [InlineData("""{"languageModels":[{"path":"m","threads":0}]}""", "languageModels[0].threads")]
    [InlineData("""{"languageModels":[{"path":"m","cacheMiB":0}]}""", "languageModels[0].cacheMiB")]
    [InlineData("""{"languageModels":[{"path":"m","contextLength":1}]}""", "languageModels[0].contextLength")]
    [InlineData("""{"languageModels":[{"path":"m","maxSequences":0}]}""", "languageModels[0].maxSequences")]
    [InlineData("""{"languageModels":[{"path":"m","maxQueued":0}]}""", "languageModels[0].maxQueued")]
    [InlineData("""{"languageModels":[{"path":"m","callerShare":0}]}""", "languageModels[0].callerShare")]
    [InlineData("""{"languageModels":[{"path":"m","prefillTokensPerStep":0}]}""", "languageModels[0].prefillTokensPerStep")]
    [InlineData("""{"languageModels":[{"path":"m","headEveryTokens":0}]}""", "languageModels[0].headEveryTokens")]
    [InlineData("""{"languageModels":[{"path":"m","headEveryMs":1}]}""", "languageModels[0].headEveryMs")]
    [InlineData("""{"languageModels":[{"path":"m","surprise":1}]}""", "unknown key")]
    [InlineData("""{"languageModels":[{"path":"m","name":"a"},{"path":"n","name":"a"}]}""", "'a' is the name of several")]
    [InlineData("""{"kernels":{"instructionSet":"neon"}}""", "kernels.instructionSet")]
    public void Load_WhatWouldNotWork_NamesTheKey(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<ConfigurationException>(() => Load(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void Below_FolderWithALanguageModel_PassesItOver()
    {
        Describe("words", """{"name":"words","version":"1","kind":"language"}""");
        Describe("numbers", """{"name":"numbers","version":"1","file":"model.onnx"}""");
        Assert.Equal(["numbers"], ModelFolder.Below(_folder).Select(model => Path.GetFileName(model.Path)));
        Assert.True(ModelFolder.IsLanguageModel(Path.Combine(_folder, "words")));
        Assert.False(ModelFolder.IsLanguageModel(Path.Combine(_folder, "numbers")));
        Assert.False(ModelFolder.IsLanguageModel(_folder));
    }

    [Fact]
    public void Read_LanguageModelUnderModels_IsRefusedByName()
    {
        Describe("words", """{"name":"words","version":"1","kind":"language"}""");
        var refused = Assert.Throws<ConfigurationException>(() => ModelFolder.Read(new ModelConfiguration { Path = Path.Combine(_folder, "words") }, new OnnxRuntimeConfiguration()));
        Assert.Contains("languageModels", refused.Message);
    }

    private HostConfiguration Load(string json)
    {
        var file = Path.Combine(_folder, "og.json");
        File.WriteAllText(file, json);
        return ConfigurationLoader.Load(file, new Hashtable(), []);
    }

    private void Describe(string name, string json)
    {
        Directory.CreateDirectory(Path.Combine(_folder, name));
        File.WriteAllText(Path.Combine(_folder, name, "model.json"), json);
    }
}
