using System.Globalization;
using System.Text;
using System.Text.Json;

namespace OpenGradient.Engine.LanguageModels.Tests.Doubles;

/// <summary>
/// A model folder in Hugging Face's layout with random weights: <c>config.json</c>, <c>generation_config.json</c>,
/// <c>model.safetensors</c> or shards, a byte-level <c>tokenizer.json</c> and a chat template. Removed when disposed.
/// </summary>
internal sealed class TinyFolder : IDisposable
{
    /// <summary>Ids of the tokenizer's special tokens; the bytes are 0 to 255.</summary>
    public const int EndOfText = TinyTokenizer.EndOfText, ImStart = TinyTokenizer.ImStart, ImEnd = TinyTokenizer.ImEnd;

    public const string Template =
        "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}" +
        "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("og-language-model-");

    private TinyFolder(TinyShape shape, TinyWeights weights) => (Shape, Weights) = (shape, weights);

    public string Path => _folder.FullName;

    public TinyShape Shape { get; }

    public TinyWeights Weights { get; }

    /// <summary>Writes a whole folder. The same shape and seed give the same bytes.</summary>
    public static TinyFolder Create(TinyShape? shape = null, ulong seed = 1)
    {
        shape ??= new TinyShape();
        var folder = new TinyFolder(shape, new TinyWeights(shape, seed));
        folder.Write("config.json", folder.Configuration());
        folder.Write("generation_config.json", $$"""{"bos_token_id": {{EndOfText}}, "eos_token_id": [{{ImEnd}}, {{EndOfText}}]}""");
        folder.Write("tokenizer.json", TinyTokenizer.Json());
        folder.Write("tokenizer_config.json", $$"""
            {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": null, "eos_token": "<|im_end|>", "chat_template": {{Quoted(Template)}}}
            """);
        folder.WriteWeights();
        return folder;
    }

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Write(string name, string text) => System.IO.File.WriteAllText(File(name), text, new UTF8Encoding(false));

    public void Write(string name, byte[] bytes) => System.IO.File.WriteAllBytes(File(name), bytes);

    public void Delete(string name) => System.IO.File.Delete(File(name));

    /// <summary><c>config.json</c> of the shape.</summary>
    public string Configuration()
    {
        var more = Shape.MoreConfiguration.Length == 0 ? "" : ",\n  " + Shape.MoreConfiguration;
        return $$"""
            {
              "architectures": ["{{Shape.ArchitectureClass}}"],
              "model_type": "{{Shape.Architecture}}",
              "vocab_size": {{Shape.Vocabulary}},
              "hidden_size": {{Shape.Hidden}},
              "intermediate_size": {{Shape.Intermediate}},
              "num_hidden_layers": {{Shape.Layers}},
              "num_attention_heads": {{Shape.Heads}},
              "num_key_value_heads": {{Shape.KvHeads}},
              "head_dim": {{Shape.HeadDim}},
              "max_position_embeddings": {{Shape.Context}},
              "hidden_act": "silu",
              "rms_norm_eps": {{Shape.NormEpsilon.ToString("R", CultureInfo.InvariantCulture)}},
              "rope_theta": {{Shape.RopeTheta.ToString("R", CultureInfo.InvariantCulture)}},
              "rope_scaling": {{Shape.RopeScaling}},
              "attention_bias": {{(Shape.AttentionBias ? "true" : "false")}},
              "tie_word_embeddings": {{(Shape.TiedEmbeddings ? "true" : "false")}},
              "bos_token_id": {{EndOfText}},
              "eos_token_id": {{ImEnd}}{{more}}
            }
            """;
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private void WriteWeights()
    {
        var tensors = Shape.Tensors().Select(tensor => new TensorToWrite(tensor.Name, Shape.Type, [.. tensor.Shape.Select(each => (long)each)], Weights.Bytes(tensor.Name))).ToArray();
        if (Shape.Shards == 1)
        {
            Write("model.safetensors", SafetensorsBytes.Of(tensors));
            return;
        }

        var map = new List<string>();
        for (var shard = 0; shard < Shape.Shards; shard++)
        {
            var name = $"model-{shard + 1:D5}-of-{Shape.Shards:D5}.safetensors";
            var mine = tensors.Where((_, index) => index % Shape.Shards == shard).ToArray();
            Write(name, SafetensorsBytes.Of(mine));
            map.AddRange(mine.Select(tensor => $"{Quoted(tensor.Name)}: {Quoted(name)}"));
        }

        var size = tensors.Sum(tensor => (long)tensor.Bytes.Length);
        Write("model.safetensors.index.json", $$"""{"metadata": {"total_size": {{size}} }, "weight_map": { {{string.Join(", ", map)}} } }""");
    }

    private static string Quoted(string text) => JsonSerializer.Serialize(text);
}
