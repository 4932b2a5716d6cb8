namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>
/// Reads <c>config.json</c>. What changes the computation is read or refused by name: a field passed over would give an
/// answer that looks right and is not the model's.
/// </summary>
internal static class ConfigurationReader
{
    public const string FileName = "config.json";

    // Far above every published model, and small enough that no product of two overflows 64 bits.
    private const int MaxVocabulary = 1 << 22, MaxWidth = 1 << 18, MaxLayers = 1024, MaxHeads = 1024, MaxHeadDim = 1024, MaxContext = 1 << 24;

    // Published files leave these out where they have the family's usual value.
    private const float UsualEpsilon = 1e-6f;

    /// <summary>Fields of relatives that change what is computed. Null, or absent, is the plain decoder.</summary>
    private static readonly string[] Foreign =
    [
        "quantization_config", "compression_config", "attn_logit_softcapping", "final_logit_softcapping", "embedding_multiplier", "residual_multiplier",
        "attention_multiplier", "logits_scaling", "logit_scale", "clip_qkv", "num_experts", "num_local_experts", "no_rope_layers", "rope_interleaved",
    ];

    public static ModelConfiguration Read(ReadOnlyMemory<byte> json)
    {
        using var document = JsonFields.Parse(json, FileName, out var fields);
        var architecture = ReadArchitecture(fields);
        RefuseWhatIsNotComputed(fields);

        var vocabulary = fields.Integer("vocab_size", 1, MaxVocabulary);
        var hidden = fields.Integer("hidden_size", 1, MaxWidth);
        var layers = fields.Integer("num_hidden_layers", 1, MaxLayers);
        var heads = fields.Integer("num_attention_heads", 1, MaxHeads);
        RefuseWindows(fields, layers);
        return new ModelConfiguration
        {
            Architecture = architecture,
            Vocabulary = vocabulary,
            Hidden = hidden,
            Intermediate = fields.Integer("intermediate_size", 1, MaxWidth),
            Layers = layers,
            Heads = heads,
            KvHeads = ReadKvHeads(fields, architecture, heads),
            HeadDim = ReadHeadDim(fields, architecture, hidden, heads),
            Context = fields.Integer("max_position_embeddings", 1, MaxContext),
            TiedEmbeddings = fields.Flag("tie_word_embeddings", absent: false),
            // Qwen2 has its biases whatever its file says.
            AttentionBias = fields.Flag("attention_bias", absent: false) || architecture == ModelArchitecture.Qwen2,
            NormEpsilon = fields.OptionalPositive("rms_norm_eps") ?? UsualEpsilon,
            Rope = RopeReader.Read(fields),
            EndTokens = fields.Tokens("eos_token_id", vocabulary),
        };
    }

    private static ModelArchitecture ReadArchitecture(JsonFields fields)
    {
        var type = fields.Text("model_type") ?? throw fields.Refused("model_type is missing");
        var (architecture, name) = type switch
        {
            "llama" => (ModelArchitecture.Llama, "LlamaForCausalLM"),
            "qwen2" => (ModelArchitecture.Qwen2, "Qwen2ForCausalLM"),
            "qwen3" => (ModelArchitecture.Qwen3, "Qwen3ForCausalLM"),
            _ => throw fields.Refused($"model_type is {Quoted.Of(type)}; llama, qwen2 and qwen3 are served"),
        };
        // The same weights under another head are another model: a classifier, a reward model.
        if (fields.Texts("architectures") is { Count: > 0 } classes && !classes.Contains(name))
            throw fields.Refused($"architectures has {Quoted.Of(classes[0])}, not {name}");
        return architecture;
    }

    private static void RefuseWhatIsNotComputed(JsonFields fields)
    {
        if (fields.Text("hidden_act") is { } activation && activation != "silu")
            throw fields.Refused($"hidden_act is {Quoted.Of(activation)}; only silu is computed");
        if (fields.Flag("mlp_bias", absent: false)) throw fields.Refused("mlp_bias is true, which is not computed");
        if (fields.OptionalPositive("partial_rotary_factor") is { } part && part != 1)
            throw fields.Refused($"partial_rotary_factor is {part}; only 1 is computed");
        foreach (var name in Foreign)
            if (fields.Has(name)) throw fields.Refused($"{name} is set, which is not computed");
    }

    /// <summary>Attention to the last tokens only is refused unless it is off: <c>sliding_window</c> alone says nothing where <c>use_sliding_window</c> is false.</summary>
    private static void RefuseWindows(JsonFields fields, int layers)
    {
        if (fields.Flag("use_sliding_window", absent: false)) throw fields.Refused("use_sliding_window is true, which is not computed");
        if (fields.Texts("layer_types") is not { } types) return;
        if (types.Count != layers) throw fields.Refused($"layer_types has {types.Count} entries for {layers} layers");
        if (types.FirstOrDefault(type => type != "full_attention") is { } other)
            throw fields.Refused($"layer_types has {Quoted.Of(other)}; only full_attention is computed");
    }

    private static int ReadKvHeads(JsonFields fields, ModelArchitecture architecture, int heads)
    {
        // Llama's first files have no such field and as many as heads. For the others the value that is meant by absence has changed.
        var kvHeads = architecture == ModelArchitecture.Llama
            ? fields.OptionalInteger("num_key_value_heads", 1, MaxHeads) ?? heads
            : fields.Integer("num_key_value_heads", 1, MaxHeads);
        return heads % kvHeads == 0 ? kvHeads : throw fields.Refused($"num_attention_heads is {heads}, not a multiple of num_key_value_heads, {kvHeads}");
    }

    private static int ReadHeadDim(JsonFields fields, ModelArchitecture architecture, int hidden, int heads)
    {
        const int qwen3 = 128; // the family's value where the file has none, whatever hidden_size is
        var given = fields.OptionalInteger("head_dim", 1, MaxHeadDim);
        if (given is null && architecture != ModelArchitecture.Qwen3 && hidden % heads != 0)
            throw fields.Refused($"hidden_size is {hidden}, not a multiple of num_attention_heads, {heads}, and there is no head_dim");
        var dim = given ?? (architecture == ModelArchitecture.Qwen3 ? qwen3 : hidden / heads);
        if (dim is < 2 or > MaxHeadDim || dim % 2 != 0) throw fields.Refused($"head_dim is {dim}, not an even number between 2 and {MaxHeadDim}");
        return dim;
    }
}
