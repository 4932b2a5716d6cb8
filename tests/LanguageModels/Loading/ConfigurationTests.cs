using System.Text;
using System.Text.Json.Nodes;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Loading;

/// <summary><c>config.json</c> of the three families, as published files write it; whatever else changes the computation is refused by name.</summary>
public sealed class ConfigurationTests
{
    [Theory, InlineData("llama", 1, false), InlineData("qwen2", 2, true), InlineData("qwen3", 3, false)]
    public void Parse_EachFamily_ReadsEveryField(string type, int architecture, bool bias)
    {
        var model = Parse(new TinyShape { Architecture = type, RopeTheta = 500_000, NormEpsilon = 1e-5 });
        Assert.Equal((ModelArchitecture)architecture, model.Architecture);
        Assert.Equal(bias, model.AttentionBias);
        Assert.Equal((288, 64, 96, 2, 4, 2, 16, 256), (model.Vocabulary, model.Hidden, model.Intermediate, model.Layers, model.Heads, model.KvHeads, model.HeadDim, model.Context));
        Assert.True(model.TiedEmbeddings);
        Assert.Equal(1e-5f, model.NormEpsilon);
        Assert.Equal(new RopeParameters(RopeKind.Plain, 500_000, 1, 1, 1, 0), model.Rope);
        Assert.Equal([TinyFolder.ImEnd], model.EndTokens);
    }

    [Fact]
    public void Parse_FieldsLeftOut_HaveTheFamilysUsualValues()
    {
        var llama = Parse(new TinyShape(), config => Remove(config, "num_key_value_heads", "head_dim", "rms_norm_eps", "rope_theta", "rope_scaling", "tie_word_embeddings", "eos_token_id", "hidden_act", "architectures"));
        Assert.Equal((4, 16, 1e-6f, false), (llama.KvHeads, llama.HeadDim, llama.NormEpsilon, llama.TiedEmbeddings));
        Assert.Equal(new RopeParameters(RopeKind.Plain, 10_000, 1, 1, 1, 0), llama.Rope);
        Assert.Empty(llama.EndTokens);
        Assert.Equal(128, Parse(new TinyShape { Architecture = "qwen3" }, config => Remove(config, "head_dim")).HeadDim);
    }

    [Theory]
    [InlineData("""{"rope_scaling": {"rope_type": "default"}}""", 0, 10_000, 1)]
    [InlineData("""{"rope_scaling": {"type": "linear", "factor": 4}}""", 2, 10_000, 4)]
    [InlineData("""{"rope_scaling": null, "rope_theta": null, "rope_parameters": {"rope_type": "linear", "factor": 2.5, "rope_theta": 1e6}}""", 2, 1_000_000, 2.5)]
    [InlineData("""{"rope_scaling": null, "rope_parameters": {"rope_theta": 10000.0}}""", 0, 10_000, 1)]
    public void Parse_RopeWhereverItIsWritten_IsRead(string changes, int kind, float theta, float factor)
    {
        var rope = Parse(new TinyShape(), config => Merge(config, changes)).Rope;
        Assert.Equal(((RopeKind)kind, theta, factor), (rope.Kind, rope.Theta, rope.Factor));
    }

    [Fact]
    public void Parse_Llama3Rope_ReadsItsFourNumbers()
    {
        var rope = Parse(new TinyShape(), config => Merge(config, """
            {"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}}
            """)).Rope;
        Assert.Equal(new RopeParameters(RopeKind.Llama3, 10_000, 8, 1, 4, 8192), rope);
    }

    [Theory, InlineData("258", "258"), InlineData("[258, 256]", "258 256"), InlineData("[]", ""), InlineData("null", "")]
    public void Parse_EndTokens_AreOneOrMany(string json, string tokens) =>
        Assert.Equal(tokens, string.Join(' ', Parse(new TinyShape(), config => Merge(config, $$"""{"eos_token_id": {{json}}}""")).EndTokens));

    [Theory]
    [InlineData("""{"model_type": null}""", "model_type is missing")]
    [InlineData("""{"model_type": "mixtral"}""", "model_type is 'mixtral'; llama, qwen2 and qwen3 are served")]
    [InlineData("""{"model_type": 3}""", "model_type is '3', not a text")]
    [InlineData("""{"architectures": ["LlamaForSequenceClassification"]}""", "architectures has 'LlamaForSequenceClassification', not LlamaForCausalLM")]
    [InlineData("""{"architectures": "LlamaForCausalLM"}""", "architectures is '\"LlamaForCausalLM\"', not an array of texts")]
    [InlineData("""{"hidden_act": "gelu"}""", "hidden_act is 'gelu'; only silu is computed")]
    [InlineData("""{"attention_bias": 1}""", "attention_bias is '1', neither true nor false")]
    [InlineData("""{"mlp_bias": true}""", "mlp_bias is true")]
    [InlineData("""{"use_sliding_window": true}""", "use_sliding_window is true")]
    [InlineData("""{"layer_types": ["full_attention", "sliding_attention"]}""", "layer_types has 'sliding_attention'")]
    [InlineData("""{"layer_types": ["full_attention"]}""", "layer_types has 1 entries for 2 layers")]
    [InlineData("""{"quantization_config": {"quant_method": "gptq"}}""", "quantization_config is set")]
    [InlineData("""{"final_logit_softcapping": 30.0}""", "final_logit_softcapping is set")]
    [InlineData("""{"partial_rotary_factor": 0.5}""", "partial_rotary_factor is 0.5")]
    [InlineData("""{"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}""", "rope_type is 'yarn'; default, linear and llama3 are computed")]
    [InlineData("""{"rope_scaling": {"type": "dynamic", "factor": 4.0}}""", "rope_type is 'dynamic'")]
    [InlineData("""{"rope_scaling": {"rope_type": "linear", "type": "yarn", "factor": 4.0}}""", "rope_type is 'linear', and type 'yarn'")]
    [InlineData("""{"rope_scaling": {"factor": 4.0}}""", "rope_scaling has a factor and no rope_type")]
    [InlineData("""{"rope_scaling": {"rope_type": "linear"}}""", "rope_scaling.factor is missing")]
    [InlineData("""{"rope_scaling": {"rope_type": "linear", "factor": 0}}""", "rope_scaling.factor is '0', not a positive number")]
    [InlineData("""{"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 4.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}}""", "low_freq_factor is 4, not below")]
    [InlineData("""{"rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}}""", "rope_scaling.original_max_position_embeddings is missing")]
    [InlineData("""{"rope_scaling": {"rope_type": "default"}, "rope_parameters": {"rope_type": "default"}}""", "both rope_parameters and rope_scaling")]
    [InlineData("""{"rope_scaling": null, "rope_theta": 1.0, "rope_parameters": {"rope_theta": 2.0}}""", "rope_theta is 1, and 2 in rope_parameters")]
    [InlineData("""{"rope_scaling": null, "rope_parameters": {"full_attention": {"rope_theta": 2.0}}}""", "differ by layer")]
    [InlineData("""{"rope_theta": "10000"}""", "rope_theta is '\"10000\"', not a positive number")]
    [InlineData("""{"rope_theta": 1e39}""", "rope_theta is '1e39', not a positive number")]
    [InlineData("""{"rms_norm_eps": -1e-6}""", "rms_norm_eps is '-1e-6', not a positive number")]
    [InlineData("""{"vocab_size": null}""", "vocab_size is missing")]
    [InlineData("""{"vocab_size": 0}""", "vocab_size is '0', not a whole number between 1 and")]
    [InlineData("""{"hidden_size": 2147483647}""", "hidden_size is '2147483647', not a whole number")]
    [InlineData("""{"num_hidden_layers": 1e9}""", "num_hidden_layers is '1e9', not a whole number")]
    [InlineData("""{"num_key_value_heads": 3}""", "num_attention_heads is 4, not a multiple of num_key_value_heads, 3")]
    [InlineData("""{"head_dim": 15}""", "head_dim is 15, not an even number")]
    [InlineData("""{"head_dim": null, "num_attention_heads": 5, "num_key_value_heads": 5}""", "hidden_size is 64, not a multiple of num_attention_heads, 5")]
    [InlineData("""{"tie_word_embeddings": 1}""", "tie_word_embeddings is '1', neither true nor false")]
    [InlineData("""{"eos_token_id": 288}""", "eos_token_id has '288', not a token id below the vocabulary's 288")]
    [InlineData("""{"eos_token_id": [-1]}""", "eos_token_id has '-1'")]
    public void Parse_WhatIsNotComputedOrMalformed_IsRefusedByName(string changes, string problem)
    {
        var error = Assert.Throws<LanguageModelLoadException>(() => Parse(new TinyShape(), config => Merge(config, changes)));
        Assert.StartsWith("config.json: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_QwenFilesWithTheirWindowsSwitchedOff_AreRead()
    {
        // As published: a window is named, and off.
        const string off = """{"use_sliding_window": false, "sliding_window": 32768, "max_window_layers": 21, "attention_dropout": 0.0}""";
        Assert.Equal(ModelArchitecture.Qwen2, Parse(new TinyShape { Architecture = "qwen2" }, config => Merge(config, off)).Architecture);
    }

    [Fact]
    public void Parse_QwenWithoutKeyValueHeads_IsRefused() => Assert.Contains(
        "num_key_value_heads is missing",
        Assert.Throws<LanguageModelLoadException>(() => Parse(new TinyShape { Architecture = "qwen3" }, config => Remove(config, "num_key_value_heads"))).Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("{\"a\": 1, \"a\": 2}", "not JSON")]
    [InlineData("{\"a\": Infinity}", "not JSON")]
    public void Parse_NotAnObject_IsRefused(string json, string problem) => Assert.Contains(
        problem, Assert.Throws<LanguageModelLoadException>(() => ModelConfiguration.Parse(Encoding.UTF8.GetBytes(json))).Message, StringComparison.Ordinal);

    private static ModelConfiguration Parse(TinyShape shape, Action<JsonObject>? change = null)
    {
        using var folder = TinyFolder.Create(shape with { Layers = 2 });
        var config = JsonNode.Parse(File.ReadAllText(folder.File("config.json")))!.AsObject();
        change?.Invoke(config);
        return ModelConfiguration.Parse(Encoding.UTF8.GetBytes(config.ToJsonString()));
    }

    private static void Merge(JsonObject config, string changes)
    {
        foreach (var (name, value) in JsonNode.Parse(changes)!.AsObject()) config[name] = value?.DeepClone();
    }

    private static void Remove(JsonObject config, params string[] names)
    {
        foreach (var name in names) config.Remove(name);
    }
}
