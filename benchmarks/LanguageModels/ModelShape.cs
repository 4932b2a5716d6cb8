using System.Text.Json;

namespace OpenGradient.Engine.Benchmarks.LanguageModels;

/// <summary>How weights are held on both sides.</summary>
internal enum Precision
{
    Bf16,
    Int8,
    Int4,
}

/// <summary>A model folder's shape, as its <c>config.json</c> says it.</summary>
internal sealed record ModelShape
{
    public required string Name { get; init; }

    /// <summary>The folder with safetensors; what is made from it lies beside them.</summary>
    public required string Folder { get; init; }

    public required string Architecture { get; init; }

    public required int Hidden { get; init; }

    public required int Intermediate { get; init; }

    public required int Layers { get; init; }

    public required int Heads { get; init; }

    public required int KeyValueHeads { get; init; }

    public required int HeadSize { get; init; }

    public required int Vocabulary { get; init; }

    public required int Context { get; init; }

    public required float RopeBase { get; init; }

    public required float Epsilon { get; init; }

    public required bool IsTied { get; init; }

    public bool HasBiases => Architecture == "qwen2";

    /// <summary>Weights that a token's way through the model reads: linear layers and the head.</summary>
    public long ReadWeights =>
        (Layers * ((2L * Hidden * Heads * HeadSize) + (2L * Hidden * KeyValueHeads * HeadSize) + (3L * Hidden * Intermediate))) + ((long)Hidden * Vocabulary);

    /// <exception cref="InvalidOperationException">The folder is not there.</exception>
    public static ModelShape Read(string name)
    {
        var folder = Path.GetFullPath($"artifacts/models/llm-{name}");
        var file = Path.Combine(folder, "config.json");
        if (!File.Exists(file)) throw new InvalidOperationException($"'{folder}' is missing: ./bench.sh llm makes it");
        using var document = JsonDocument.Parse(File.ReadAllBytes(file));
        var config = document.RootElement;
        int Number(string key) => config.GetProperty(key).GetInt32();
        return new ModelShape
        {
            Name = name,
            Folder = folder,
            Architecture = config.GetProperty("model_type").GetString()!,
            Hidden = Number("hidden_size"),
            Intermediate = Number("intermediate_size"),
            Layers = Number("num_hidden_layers"),
            Heads = Number("num_attention_heads"),
            KeyValueHeads = Number("num_key_value_heads"),
            HeadSize = config.TryGetProperty("head_dim", out var size) && size.ValueKind == JsonValueKind.Number ? size.GetInt32() : Number("hidden_size") / Number("num_attention_heads"),
            Vocabulary = Number("vocab_size"),
            Context = Number("max_position_embeddings"),
            RopeBase = config.TryGetProperty("rope_theta", out var theta) ? theta.GetSingle() : 10_000,
            Epsilon = config.GetProperty("rms_norm_eps").GetSingle(),
            IsTied = config.TryGetProperty("tie_word_embeddings", out var tied) && tied.GetBoolean(),
        };
    }

    /// <summary>Bytes of weights that one token reads: 16 bits, or 8 or 4 and a 16-bit scale per 32.</summary>
    public double ReadBytes(Precision precision) => ReadWeights * precision switch { Precision.Int4 => 4.5, Precision.Int8 => 8.5, _ => 16 } / 8;
}
