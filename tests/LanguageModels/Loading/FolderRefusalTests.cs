using System.Diagnostics;
using System.Text.Json.Nodes;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.LanguageModels.Tests.Doubles;

namespace OpenGradient.Engine.LanguageModels.Tests.Loading;

/// <summary>Whole folders that lie or lack something: each is refused before any weight is read, with file, tensor or field named.</summary>
public sealed class FolderRefusalTests
{
    private const string Index = "model.safetensors.index.json", First = "model-00001-of-00002.safetensors", Second = "model-00002-of-00002.safetensors";

    [Fact]
    public async Task Open_NoFolder_SaysSo()
    {
        var error = await Assert.ThrowsAsync<LanguageModelLoadException>(() => LanguageModelFolder.OpenAsync("/nowhere/model", new LanguageModelLoadOptions(), default));
        Assert.Contains("'/nowhere/model' does not exist", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("config.json", "config.json is missing")]
    [InlineData("tokenizer.json", "tokenizer.json is missing")]
    [InlineData("model.safetensors", "is no model that is known")]
    public async Task Open_MissingFile_IsNamed(string file, string problem)
    {
        using var folder = TinyFolder.Create();
        folder.Delete(file);
        await Refused(folder, problem);
    }

    [Theory]
    [InlineData("{\"kind\": \"classifier\"}", "kind is 'classifier', not 'language'")]
    [InlineData("{\"scheme\": \"int3\"}", "scheme is 'int3'; bf16, int8 and int4 are served")]
    [InlineData("{\"name\": \"\"}", "name is empty")]
    [InlineData("{\"version\": 1}", "version is '1', not a text")]
    [InlineData("no", "not JSON")]
    public async Task Open_ModelSettingsThatAreWrong_AreNamed(string json, string problem)
    {
        using var folder = TinyFolder.Create();
        folder.Write("model.json", json);
        await Refused(folder, "model.json: ", problem);
    }

    [Theory]
    [InlineData("config.json", 1 << 20)]
    [InlineData("generation_config.json", 1 << 20)]
    [InlineData("tokenizer.json", 64 << 20)]
    [InlineData("tokenizer_config.json", 8 << 20)]
    [InlineData("chat_template.jinja", 1 << 20)]
    [InlineData("model.json", 64 << 10)]
    public async Task Open_SmallFileThatIsLarge_IsNotRead(string file, int cap)
    {
        using var folder = TinyFolder.Create();
        using (var sparse = File.Create(folder.File(file))) sparse.SetLength(cap + 1L);
        await Refused(folder, file, $"more than the {cap} that are read");
    }

    [Fact]
    public async Task Open_PipeInPlaceOfAFile_DoesNotWaitForAWriter()
    {
        using var folder = TinyFolder.Create();
        folder.Delete("tokenizer_config.json");
        using (var made = Process.Start("mkfifo", folder.File("tokenizer_config.json"))) await made.WaitForExitAsync();
        await Refused(folder, "tokenizer_config.json is a device, a FIFO or a socket, not a regular file");
    }

    [Fact]
    public async Task Open_FolderInPlaceOfAFile_IsRefused()
    {
        using var folder = TinyFolder.Create();
        folder.Delete("config.json");
        Directory.CreateDirectory(folder.File("config.json"));
        await Refused(folder, "config.json is a folder");
    }

    [Fact]
    public async Task Open_MalformedWeights_AreRefusedByTheirHeader()
    {
        using var folder = TinyFolder.Create();
        var bytes = File.ReadAllBytes(folder.File("model.safetensors"));
        folder.Write("model.safetensors", bytes[..^1]);
        await Refused(folder, "model.safetensors: tensor ", "outside of the file's");
    }

    [Fact]
    public async Task Open_TensorMissing_IsNamed()
    {
        using var folder = TinyFolder.Create();
        folder.Write("config.json", folder.Configuration().Replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", StringComparison.Ordinal));
        await Refused(folder, "no file holds tensor 'model.layers.2.input_layernorm.weight' [64]");
    }

    [Fact]
    public async Task Open_TensorOfAnotherModel_IsNamed()
    {
        using var folder = TinyFolder.Create();
        folder.Write("config.json", folder.Configuration().Replace("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1", StringComparison.Ordinal));
        await Refused(folder, "model.safetensors: tensor 'model.layers.1.", "is none of this model's");
    }

    [Fact]
    public async Task Open_TensorOfAnotherShape_IsNamed()
    {
        using var folder = TinyFolder.Create();
        folder.Write("config.json", folder.Configuration().Replace("\"vocab_size\": 288", "\"vocab_size\": 300", StringComparison.Ordinal));
        await Refused(folder, "tensor 'model.embed_tokens.weight' is BF16 [288, 64], the configuration needs [300, 64]");
    }

    [Fact]
    public async Task Open_WeightsOfATypeThatIsNotServed_AreNamed()
    {
        var shape = new TinyShape();
        using var folder = TinyFolder.Create(shape);
        folder.Write("model.safetensors", SafetensorsBytes.Of(shape.Tensors().Select(tensor =>
            new TensorToWrite(tensor.Name, "F8_E4M3", [.. tensor.Shape.Select(each => (long)each)], new byte[tensor.Shape.Aggregate(1, (product, each) => product * each)]))));
        await Refused(folder, "tensor 'model.embed_tokens.weight' is of type F8_E4M3; weights are F32, F16 or BF16");
    }

    [Theory]
    [InlineData("missing shard", "names 'model-00002-of-00002.safetensors', which is missing")]
    [InlineData("tensor in the wrong shard", "is in model-00001-of-00002.safetensors, but model.safetensors.index.json has it in model-00002-of-00002.safetensors")]
    [InlineData("tensor in two shards", "is in model-00001-of-00002.safetensors and in model-00002-of-00002.safetensors")]
    [InlineData("tensor not in the index", "is not in model.safetensors.index.json")]
    [InlineData("tensor in the index only", "has tensor 'ghost' in model-00001-of-00002.safetensors, which does not hold it")]
    [InlineData("path", "which is not the name of a .safetensors file in the folder")]
    [InlineData("other file", "which is not the name of a .safetensors file in the folder")]
    [InlineData("number", "which is not the name of a .safetensors file in the folder")]
    [InlineData("no map", "it has no weight_map")]
    [InlineData("empty map", "weight_map is empty")]
    [InlineData("both", "the folder has model.safetensors and model.safetensors.index.json, which does not name it")]
    [InlineData("many files", "more than 512")]
    public async Task Open_ShardsAndIndexThatDisagree_AreNamed(string how, string problem)
    {
        using var folder = TinyFolder.Create(new TinyShape { Shards = 2 });
        var index = JsonNode.Parse(File.ReadAllText(folder.File(Index)))!.AsObject();
        var map = index["weight_map"]!.AsObject();
        var ofFirst = map.First(entry => (string)entry.Value! == First).Key;
        switch (how)
        {
            case "missing shard": folder.Delete(Second); break;
            case "tensor in the wrong shard": map[ofFirst] = Second; break;
            case "tensor in two shards": folder.Write(Second, File.ReadAllBytes(folder.File(First))); break;
            case "tensor not in the index": map.Remove(ofFirst); break;
            case "tensor in the index only": map["ghost"] = First; break;
            case "path": map[ofFirst] = "../" + First; break;
            case "other file": map[ofFirst] = "config.json"; break;
            case "number": map[ofFirst] = 1; break;
            case "no map": index.Remove("weight_map"); break;
            case "empty map": index["weight_map"] = new JsonObject(); break;
            case "both": folder.Write("model.safetensors", SafetensorsBytes.Of([])); break;
            default:
                for (var i = 0; i < 513; i++) map[$"t{i}"] = $"{i}.safetensors";
                break;
        }

        folder.Write(Index, index.ToJsonString());
        await Refused(folder, problem);
    }

    [Fact]
    public void Open_Shards_HoldWhatOneFileHolds()
    {
        using var one = TinyFolder.Create(new TinyShape());
        using var three = TinyFolder.Create(new TinyShape { Shards = 3 });
        using var single = SafetensorsFolder.Open(one.Path);
        using var sharded = SafetensorsFolder.Open(three.Path);
        Assert.Equal(single.Tensors.Keys.Order(), sharded.Tensors.Keys.Order());
        Assert.Equal(3, sharded.Tensors.Values.Select(stored => stored.File.Name).Distinct().Count());
    }

    private static async Task Refused(TinyFolder folder, params string[] problems)
    {
        var error = await Assert.ThrowsAsync<LanguageModelLoadException>(() => LanguageModelFolder.OpenAsync(folder.Path, new LanguageModelLoadOptions(), default));
        Assert.All(problems, problem => Assert.Contains(problem, error.Message, StringComparison.Ordinal));
    }
}
