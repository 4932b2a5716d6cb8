using System.Text.Json.Nodes;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.OnnxRuntime;

namespace OpenGradient.Engine.LanguageModels.Tests.OnnxRuntime;

/// <summary>What a folder may say, and what is refused by name.</summary>
public sealed class GenAiFolderTests : IDisposable
{
    private readonly GenAiTestFolder _folder = new("genai-int4");

    public static TheoryData<string, string> BadConfigurations => new()
    {
        { "head_size missing", "'model.decoder.head_size' is missing" },
        { "head_size 32", "head_size 32" },
        { "head_size text", "'model.decoder.head_size' is not a whole number" },
        { "heads 4", "num_key_value_heads 4" },
        { "heads 0", "'model.decoder.num_key_value_heads'" },
        { "layers 3", "no input 'past_key_values.2.key'" },
        { "layers 1", "'past_key_values.1.key'" },
        { "layers endless", "'model.decoder.num_hidden_layers'" },
        { "vocabulary 100", "vocab_size 100" },
        { "hidden 128", "hidden_size 128" },
        { "context beyond the rotary cache", "cannot be served" },
        { "context endless", "'model.context_length'" },
        { "file outside", "'../model.onnx' is not the name of a file" },
        { "file is another", "'tokenizer.json' is another file" },
        { "file missing", "absent.onnx" },
        { "input misnamed", "no input 'ids'" },
        { "input unnamed", "the input 'attention_mask'" },
        { "position_ids that are not there", "no input 'position_ids'" },
        { "unknown input", "'model.decoder.inputs.encoder_hidden_states'" },
        { "output misnamed", "no output 'scores'" },
        { "pattern without a layer", "by %d" },
        { "pattern with %s", "by %d" },
        { "vision", "'model.vision'" },
        { "pipeline", "'model.decoder.pipeline'" },
        { "sliding window", "'model.decoder.sliding_window'" },
        { "end token beyond", "'model.eos_token_id'" },
        { "decoder a list", "'model.decoder' is not an object" },
        { "no decoder", "'model.decoder' is missing" },
    };

    [Theory, MemberData(nameof(BadConfigurations))]
    public void Open_BadConfiguration_IsRefusedByName(string what, string message)
    {
        _folder.EditConfig(model => Break(what, model, model["decoder"]!));
        var error = Assert.Throws<LanguageModelLoadException>(() => _folder.Open());
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "is not JSON")]
    [InlineData("[]", "is not an object")]
    [InlineData("{\"model\":{}}", "'model.decoder' is missing")]
    [InlineData("{\"model\":{},\"model\":{}}", "is not JSON")]
    [InlineData("{\"model\":", "is not JSON")]
    public void Open_ConfigurationThatIsNone_IsRefused(string json, string message)
    {
        _folder.Write(GenAiTestFolder.Config, json);
        Assert.Contains(message, Assert.Throws<LanguageModelLoadException>(() => _folder.Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_EndlessConfiguration_IsNotRead()
    {
        using (var file = File.OpenWrite(_folder.PathOf(GenAiTestFolder.Config))) file.SetLength(1L << 40);
        Assert.Contains("more than", Assert.Throws<LanguageModelLoadException>(() => _folder.Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_DeepConfiguration_IsRefused()
    {
        _folder.Write(GenAiTestFolder.Config, new string('[', 100_000));
        Assert.Throws<LanguageModelLoadException>(() => _folder.Open());
    }

    [Fact]
    public void Open_ConfigurationThatIsAFolder_IsRefused()
    {
        File.Delete(_folder.PathOf(GenAiTestFolder.Config));
        Directory.CreateDirectory(_folder.PathOf(GenAiTestFolder.Config));
        Assert.Contains("not a regular file", Assert.Throws<LanguageModelLoadException>(() => _folder.Open()).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("model.onnx"), InlineData("genai_config.json"), InlineData("tokenizer.json")]
    public void Open_WithoutAFile_SaysWhich(string file)
    {
        File.Delete(_folder.PathOf(file));
        Assert.Contains(file, Assert.Throws<LanguageModelLoadException>(() => _folder.Open()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_WithoutItsWeights_SaysWhich()
    {
        using var folder = new GenAiTestFolder("genai-float");
        File.Delete(folder.PathOf("model.onnx.data"));
        Assert.Contains("model.onnx.data", Assert.Throws<LanguageModelLoadException>(() => folder.Open()).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(0.0), InlineData(0.5), InlineData(0.97)]
    public void Open_ModelCutOff_IsRefused(double kept)
    {
        var bytes = File.ReadAllBytes(_folder.PathOf("model.onnx"));
        File.WriteAllBytes(_folder.PathOf("model.onnx"), bytes[..(int)(bytes.Length * kept)]);
        Assert.Throws<LanguageModelLoadException>(() => _folder.Open());
    }

    [Fact]
    public void Open_ModelThatIsNoDecoder_IsRefused()
    {
        File.Copy(Path.Combine(GenAiTestFolder.ModelPath("."), "identity.onnx"), _folder.PathOf("model.onnx"), overwrite: true);
        Assert.Contains("GroupQueryAttention", Assert.Throws<LanguageModelLoadException>(() => _folder.Open()).Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> BadOptions => new()
    {
        { "context", "65 tokens" },
        { "cache", "raise the cache" },
        { "sequences", "0 sequences" },
        { "threads", "0 threads" },
        { "scheme", "int8 was asked for, but the folder's weights are int4" },
        { "instruction set", "chooses its own" },
        { "library", "does not exist" },
    };

    [Theory, MemberData(nameof(BadOptions))]
    public void Open_ImpossibleOptions_AreRefusedByName(string what, string message)
    {
        var options = GenAiTestFolder.Options;
        options = what switch
        {
            "context" => options with { ContextLength = 65 },
            "cache" => options with { CacheBytes = 1000 },
            "sequences" => options with { MaxSequences = 0 },
            "threads" => options with { Threads = 0 },
            "scheme" => options with { Scheme = WeightScheme.Int8 },
            "instruction set" => options with { InstructionSet = "avx2" },
            _ => options with { OnnxRuntimeLibrary = "/nonexistent/libonnxruntime.so.1" },
        };
        Assert.Contains(message, Assert.Throws<LanguageModelLoadException>(() => _folder.Open(options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Identity_OfAFolder_CoversEveryFileThatCounts()
    {
        var seen = new HashSet<Hash256> { Identity() };
        Assert.Contains(Identity(), seen);
        _folder.EditConfig(model => model["pad_token_id"] = 3);
        Assert.True(seen.Add(Identity()));
        _folder.Write("tokenizer.json", File.ReadAllText(_folder.PathOf("tokenizer.json")) + " ");
        Assert.True(seen.Add(Identity()));
        _folder.Write("tokenizer_config.json", "{}");
        Assert.True(seen.Add(Identity()));
        _folder.Write("chat_template.jinja", "");
        Assert.True(seen.Add(Identity()));
        _folder.ComputeInFloat();
        Assert.True(seen.Add(Identity()));
        _folder.Write("README.md", "not of the model");
        Assert.Contains(Identity(), seen);
    }

    [Fact]
    public void Identity_OfAFolder_CoversItsWeights()
    {
        using var folder = new GenAiTestFolder("genai-float");
        using var before = folder.Open();
        var bytes = File.ReadAllBytes(folder.PathOf("model.onnx.data"));
        bytes[^1] ^= 1;
        File.WriteAllBytes(folder.PathOf("model.onnx.data"), bytes);
        using var after = folder.Open();
        Assert.NotEqual(before.Info.Identity, after.Info.Identity);
    }

    [Fact]
    public void Open_Cancelled_Ends()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => GenAiRuntime.Open(_folder.Path, GenAiTestFolder.Options, source.Token));
    }

    public void Dispose() => _folder.Dispose();

    private Hash256 Identity()
    {
        using var runtime = _folder.Open();
        return runtime.Info.Identity;
    }

    private static void Break(string what, JsonNode model, JsonNode decoder)
    {
        switch (what)
        {
            case "head_size missing": decoder.AsObject().Remove("head_size"); break;
            case "head_size 32": decoder["head_size"] = 32; break;
            case "head_size text": decoder["head_size"] = "16"; break;
            case "heads 4": decoder["num_key_value_heads"] = 4; break;
            case "heads 0": decoder["num_key_value_heads"] = 0; break;
            case "layers 3": decoder["num_hidden_layers"] = 3; break;
            case "layers 1": decoder["num_hidden_layers"] = 1; break;
            case "layers endless": decoder["num_hidden_layers"] = int.MaxValue; break;
            case "vocabulary 100": model["vocab_size"] = 100; model["eos_token_id"] = 1; model["bos_token_id"] = 1; break;
            case "hidden 128": decoder["hidden_size"] = 128; break;
            case "context beyond the rotary cache": model["context_length"] = 65; break;
            case "context endless": model["context_length"] = 1L << 40; break;
            case "file outside": decoder["filename"] = "../model.onnx"; break;
            case "file is another": decoder["filename"] = "tokenizer.json"; break;
            case "file missing": decoder["filename"] = "absent.onnx"; break;
            case "input misnamed": decoder["inputs"]!["input_ids"] = "ids"; break;
            case "input unnamed": decoder["inputs"]!["attention_mask"] = "input_ids"; break;
            case "position_ids that are not there": decoder["inputs"]!["position_ids"] = "position_ids"; break;
            case "unknown input": decoder["inputs"]!["encoder_hidden_states"] = "x"; break;
            case "output misnamed": decoder["outputs"]!["logits"] = "scores"; break;
            case "pattern without a layer": decoder["inputs"]!["past_key_names"] = "past.key"; break;
            case "pattern with %s": decoder["inputs"]!["past_key_names"] = "past.%d.%s"; break;
            case "vision": model["vision"] = new JsonObject(); break;
            case "pipeline": decoder["pipeline"] = new JsonArray(); break;
            case "sliding window": decoder["sliding_window"] = new JsonObject(); break;
            case "end token beyond": model["eos_token_id"] = new JsonArray(1, 264); break;
            case "decoder a list": model["decoder"] = new JsonArray(); break;
            case "no decoder": model.AsObject().Remove("decoder"); break;
            default: throw new ArgumentOutOfRangeException(nameof(what));
        }
    }
}
