namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>The weights that a configuration needs, by the names of Hugging Face's checkpoints.</summary>
internal static class ExpectedTensors
{
    private const string Embedding = "model.embed_tokens.weight", Output = "lm_head.weight", Inverse = "rotary_emb.inv_freq";

    /// <summary>Weights that are packed; the others in the folder are known and not used.</summary>
    /// <exception cref="LanguageModelLoadException">A weight is missing, unknown, or of another type or shape; the message names file and tensor.</exception>
    public static HashSet<string> Check(ModelConfiguration configuration, SafetensorsFolder folder)
    {
        var needed = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, shape) in Of(configuration))
        {
            needed.Add(name);
            var wanted = string.Join(", ", shape);
            if (!folder.Tensors.TryGetValue(name, out var found))
                throw new LanguageModelLoadException($"no file holds tensor '{name}' [{wanted}]");
            if (found.Tensor.Type is not ("F32" or "F16" or "BF16"))
                throw new LanguageModelLoadException($"{found.File.Name}: tensor '{name}' is of type {found.Tensor.Type}; weights are F32, F16 or BF16");
            if (!found.Tensor.Shape.SequenceEqual(shape))
                throw new LanguageModelLoadException($"{found.File.Name}: tensor '{name}' is {found.Tensor.Description}, the configuration needs [{wanted}]");
        }

        foreach (var (name, stored) in folder.Tensors)
            if (!needed.Contains(name) && !IsPassedOver(name, configuration))
                throw new LanguageModelLoadException($"{stored.File.Name}: tensor {Quoted.Of(name)} is none of this model's");
        return needed;
    }

    /// <summary>
    /// Some checkpoints carry rotary frequencies, which follow from the configuration, or a copy of the embedding as output
    /// layer although the two are tied; the reference implementation uses neither.
    /// </summary>
    private static bool IsPassedOver(string name, ModelConfiguration configuration) =>
        name.EndsWith(Inverse, StringComparison.Ordinal) || (name == Output && configuration.TiedEmbeddings);

    private static IEnumerable<(string Name, long[] Shape)> Of(ModelConfiguration model)
    {
        long hidden = model.Hidden, wide = (long)model.Heads * model.HeadDim, narrow = (long)model.KvHeads * model.HeadDim;
        yield return (Embedding, [model.Vocabulary, hidden]);
        for (var layer = 0; layer < model.Layers; layer++)
        {
            var prefix = $"model.layers.{layer}.";
            yield return (prefix + "input_layernorm.weight", [hidden]);
            yield return (prefix + "self_attn.q_proj.weight", [wide, hidden]);
            yield return (prefix + "self_attn.k_proj.weight", [narrow, hidden]);
            yield return (prefix + "self_attn.v_proj.weight", [narrow, hidden]);
            yield return (prefix + "self_attn.o_proj.weight", [hidden, wide]);
            if (model.AttentionBias)
            {
                yield return (prefix + "self_attn.q_proj.bias", [wide]);
                yield return (prefix + "self_attn.k_proj.bias", [narrow]);
                yield return (prefix + "self_attn.v_proj.bias", [narrow]);
            }

            if (model.OutputBias) yield return (prefix + "self_attn.o_proj.bias", [hidden]);

            if (model.Architecture == ModelArchitecture.Qwen3)
            {
                yield return (prefix + "self_attn.q_norm.weight", [model.HeadDim]);
                yield return (prefix + "self_attn.k_norm.weight", [model.HeadDim]);
            }

            yield return (prefix + "post_attention_layernorm.weight", [hidden]);
            yield return (prefix + "mlp.gate_proj.weight", [model.Intermediate, hidden]);
            yield return (prefix + "mlp.up_proj.weight", [model.Intermediate, hidden]);
            yield return (prefix + "mlp.down_proj.weight", [hidden, model.Intermediate]);
        }

        yield return ("model.norm.weight", [hidden]);
        if (!model.TiedEmbeddings) yield return (Output, [model.Vocabulary, hidden]);
    }
}
