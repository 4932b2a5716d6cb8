using OpenGradient.Engine.LanguageModels.Kernels;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.OnnxRuntime;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;
using OpenGradient.Engine.LanguageModels.Tests.Kernels;
using OpenGradient.Engine.LanguageModels.Tests.OnnxRuntime;

namespace OpenGradient.Engine.LanguageModels.Tests.Loading;

/// <summary>A whole folder becomes the parts of a model: names, tokenizer, template, special tokens, tokens that end an answer.</summary>
public sealed class FolderOpeningTests
{
    [KernelFact]
    public async Task OpenAsync_WholeFolder_GivesItsParts()
    {
        using var folder = TinyFolder.Create();
        var parts = await LanguageModelFolder.OpenAsync(folder.Path, new LanguageModelLoadOptions(), default);
        using var runtime = parts.Runtime;
        Assert.Equal((Path.GetFileName(folder.Path), "1"), (parts.Name, parts.Version));
        Assert.Equal(("", "<|im_end|>"), (parts.BosToken, parts.EosToken));
        Assert.Equal([TinyFolder.EndOfText, TinyFolder.ImEnd], parts.EndTokens);
        Assert.Equal("bf16", runtime.Info.Runtime.Precision);
        Assert.IsType<KernelRuntime>(runtime);
        Assert.Equal(TinyTokenizer.Encode("grüß"), parts.Tokenizer.Encode("grüß", addSpecialTokens: false));
        Assert.NotNull(parts.Template);
    }

    [KernelFact]
    public async Task OpenAsync_ModelSettings_AreTakenUnlessToldOtherwise()
    {
        using var folder = TinyFolder.Create();
        folder.Write("model.json", """{"name": "tiny", "version": "3", "kind": "language", "scheme": "int8", "licence": "Apache-2.0"}""");
        var parts = await LanguageModelFolder.OpenAsync(folder.Path + "/", new LanguageModelLoadOptions(), default);
        using (parts.Runtime) Assert.Equal(("tiny", "3", "int8"), (parts.Name, parts.Version, parts.Runtime.Info.Runtime.Precision));
        var told = await LanguageModelFolder.OpenAsync(folder.Path, new LanguageModelLoadOptions { Name = "n", Version = "v", Scheme = WeightScheme.Int4 }, default);
        using (told.Runtime) Assert.Equal(("n", "v", "int4"), (told.Name, told.Version, told.Runtime.Info.Runtime.Precision));
    }

    [KernelTheory]
    [InlineData("""{"bos_token": "<|endoftext|>", "eos_token": {"content": "<|im_end|>", "lstrip": false}}""", "<|endoftext|>", "<|im_end|>", false)]
    [InlineData("""{"bos_token": null}""", "", "", false)]
    [InlineData("""{"chat_template": [{"name": "tool_use", "template": "{{ 1"}, {"name": "default", "template": "{{ 1 }}"}]}""", "", "", true)]
    [InlineData("""{"chat_template": "{{ 1 }}"}""", "", "", true)]
    public async Task OpenAsync_TokenizerSettings_AreReadInEitherForm(string json, string bos, string eos, bool template)
    {
        using var folder = TinyFolder.Create();
        folder.Write("tokenizer_config.json", json);
        var parts = await LanguageModelFolder.OpenAsync(folder.Path, new LanguageModelLoadOptions(), default);
        using var runtime = parts.Runtime;
        Assert.Equal((bos, eos, template), (parts.BosToken, parts.EosToken, parts.Template is not null));
    }

    [KernelTheory]
    [InlineData("chat_template.jinja", "{{ 1 }}")]
    [InlineData("chat_template.json", """{"chat_template": "{{ 1 }}"}""")]
    public async Task OpenAsync_TemplateInAFileOfItsOwn_IsRead(string file, string text)
    {
        using var folder = TinyFolder.Create();
        folder.Delete("tokenizer_config.json");
        folder.Write(file, text);
        var parts = await LanguageModelFolder.OpenAsync(folder.Path, new LanguageModelLoadOptions(), default);
        using var runtime = parts.Runtime;
        Assert.NotNull(parts.Template);
    }

    [KernelFact]
    public async Task OpenAsync_EndTokensNowhere_AreTheTokenizersOwn()
    {
        using var folder = TinyFolder.Create();
        folder.Delete("generation_config.json");
        folder.Write("config.json", folder.Configuration().Replace($"\"eos_token_id\": {TinyFolder.ImEnd}", "\"eos_token_id\": null", StringComparison.Ordinal));
        var parts = await LanguageModelFolder.OpenAsync(folder.Path, new LanguageModelLoadOptions(), default);
        using var runtime = parts.Runtime;
        Assert.Equal([TinyFolder.ImEnd], parts.EndTokens);
    }

    [Theory]
    [InlineData("tokenizer.json", "{}", "tokenizer.json: ")]
    [InlineData("tokenizer_config.json", """{"chat_template": "{% if %}"}""", "tokenizer_config.json: ")]
    [InlineData("tokenizer_config.json", """{"chat_template": [{"name": "rag", "template": ""}]}""", "chat_template is a list without one named 'default'")]
    [InlineData("tokenizer_config.json", """{"chat_template": 1}""", "tokenizer_config.json: chat_template is '1', not a text")]
    [InlineData("tokenizer_config.json", """{"bos_token": {"lstrip": true}}""", "tokenizer_config.json: bos_token has no content")]
    [InlineData("tokenizer_config.json", """{"eos_token": 3}""", "tokenizer_config.json: eos_token is '3', not a text")]
    [InlineData("generation_config.json", """{"eos_token_id": [1000]}""", "generation_config.json: eos_token_id has '1000'")]
    [InlineData("config.json", null, "tokenizer.json has 259 tokens, the model's vocabulary 258")]
    public async Task OpenAsync_TextFilesThatAreWrong_AreNamedBeforeWeightsAreRead(string file, string? text, string problem)
    {
        using var folder = TinyFolder.Create(new TinyShape { Vocabulary = file == "config.json" ? 258 : 288 });
        if (text is null) folder.Write("config.json", folder.Configuration().Replace($"\"eos_token_id\": {TinyFolder.ImEnd}", "\"eos_token_id\": null", StringComparison.Ordinal));
        else folder.Write(file, text);
        // No library is needed to find it.
        var options = new LanguageModelLoadOptions { KernelsLibrary = "/nowhere/libog_kernels.so" };
        var error = await Assert.ThrowsAsync<LanguageModelLoadException>(() => LanguageModelFolder.OpenAsync(folder.Path, options, default));
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenAsync_TemplateThatIsNotUtf8_IsRefused()
    {
        using var folder = TinyFolder.Create();
        folder.Write("chat_template.jinja", [0xFF, 0xFE]);
        var error = await Assert.ThrowsAsync<LanguageModelLoadException>(() => LanguageModelFolder.OpenAsync(folder.Path, new LanguageModelLoadOptions(), default));
        Assert.Contains("chat_template.jinja is not UTF-8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenAsync_GenAiFolder_GivesItsParts()
    {
        using var folder = new GenAiTestFolder("genai-int4");
        var parts = await LanguageModelFolder.OpenAsync(folder.Path, GenAiTestFolder.Options with { Name = "g" }, default);
        using var runtime = parts.Runtime;
        Assert.IsType<GenAiRuntime>(runtime);
        Assert.Equal(("g", "1"), (parts.Name, parts.Version));
        Assert.Equal([257], parts.EndTokens);
        Assert.True(parts.Tokenizer.VocabularySize <= runtime.Info.VocabularySize);
    }

    [Fact]
    public async Task OpenAsync_GenAiFolderWithoutItsTokenizer_IsRefused()
    {
        using var folder = new GenAiTestFolder("genai-int4");
        File.Delete(folder.PathOf("tokenizer.json"));
        var error = await Assert.ThrowsAsync<LanguageModelLoadException>(() => LanguageModelFolder.OpenAsync(folder.Path, GenAiTestFolder.Options, default));
        Assert.Contains("tokenizer.json is missing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenAsync_CancelledBefore_IsCancelled()
    {
        using var folder = TinyFolder.Create();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => LanguageModelFolder.OpenAsync(folder.Path, new LanguageModelLoadOptions(), new CancellationToken(canceled: true)));
    }
}
