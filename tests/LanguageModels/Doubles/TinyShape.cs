namespace OpenGradient.Engine.LanguageModels.Tests.Doubles;

/// <summary>Shape of a model small enough for a test. The defaults are legal for every scheme.</summary>
internal sealed record TinyShape
{
    /// <summary><c>llama</c>, <c>qwen2</c> or <c>qwen3</c>.</summary>
    public string Architecture { get; init; } = "llama";

    public int Hidden { get; init; } = 64;

    public int Intermediate { get; init; } = 96;

    public int Layers { get; init; } = 2;

    public int Heads { get; init; } = 4;

    public int KvHeads { get; init; } = 2;

    public int HeadDim { get; init; } = 16;

    /// <summary>More than the tokenizer has: some published models pad it.</summary>
    public int Vocabulary { get; init; } = 288;

    public int Context { get; init; } = 256;

    public bool TiedEmbeddings { get; init; } = true;

    /// <summary>Biases of queries, keys, values and output. Qwen2 has the first three in any case, and never the last.</summary>
    public bool AttentionBias { get; init; }

    public bool HasProjectionBias => AttentionBias || Architecture == "qwen2";

    public bool HasOutputBias => AttentionBias && Architecture != "qwen2";

    /// <summary>Element type of the weights in the file: <c>BF16</c>, <c>F16</c> or <c>F32</c>.</summary>
    public string Type { get; init; } = "BF16";

    /// <summary>1 writes <c>model.safetensors</c>, more writes shards and their index.</summary>
    public int Shards { get; init; } = 1;

    public double RopeTheta { get; init; } = 10_000;

    /// <summary>Value of <c>rope_scaling</c> as JSON.</summary>
    public string RopeScaling { get; init; } = "null";

    public double NormEpsilon { get; init; } = 1e-6;

    /// <summary>Further fields of <c>config.json</c>, as <c>"name": value</c> joined by commas.</summary>
    public string MoreConfiguration { get; init; } = "";

    public string ArchitectureClass => Architecture switch
    {
        "llama" => "LlamaForCausalLM", "qwen2" => "Qwen2ForCausalLM", "qwen3" => "Qwen3ForCausalLM", _ => "UnknownForCausalLM",
    };

    /// <summary>Names and dimensions of the weights, as Hugging Face's checkpoints name them.</summary>
    public IEnumerable<(string Name, int[] Shape)> Tensors()
    {
        yield return ("model.embed_tokens.weight", [Vocabulary, Hidden]);
        for (var layer = 0; layer < Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            yield return (prefix + "input_layernorm.weight", [Hidden]);
            yield return (prefix + "self_attn.q_proj.weight", [Heads * HeadDim, Hidden]);
            yield return (prefix + "self_attn.k_proj.weight", [KvHeads * HeadDim, Hidden]);
            yield return (prefix + "self_attn.v_proj.weight", [KvHeads * HeadDim, Hidden]);
            yield return (prefix + "self_attn.o_proj.weight", [Hidden, Heads * HeadDim]);
            if (HasProjectionBias)
            {
                yield return (prefix + "self_attn.q_proj.bias", [Heads * HeadDim]);
                yield return (prefix + "self_attn.k_proj.bias", [KvHeads * HeadDim]);
                yield return (prefix + "self_attn.v_proj.bias", [KvHeads * HeadDim]);
            }

            if (HasOutputBias) yield return (prefix + "self_attn.o_proj.bias", [Hidden]);

            if (Architecture == "qwen3")
            {
                yield return (prefix + "self_attn.q_norm.weight", [HeadDim]);
                yield return (prefix + "self_attn.k_norm.weight", [HeadDim]);
            }

            yield return (prefix + "post_attention_layernorm.weight", [Hidden]);
            yield return (prefix + "mlp.gate_proj.weight", [Intermediate, Hidden]);
            yield return (prefix + "mlp.up_proj.weight", [Intermediate, Hidden]);
            yield return (prefix + "mlp.down_proj.weight", [Hidden, Intermediate]);
        }

        yield return ("model.norm.weight", [Hidden]);
        if (!TiedEmbeddings) yield return ("lm_head.weight", [Vocabulary, Hidden]);
    }
}
