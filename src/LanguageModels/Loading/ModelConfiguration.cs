namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>The families of decoders that are served. The numbers are those of og_kernels.h.</summary>
public enum ModelArchitecture
{
    Llama = 1,
    Qwen2 = 2,
    Qwen3 = 3,
}

/// <summary>How positions are stretched. The numbers are those of og_kernels.h.</summary>
public enum RopeKind
{
    Plain = 0,
    Llama3 = 1,
    Linear = 2,
}

/// <summary>Rotary position embedding.</summary>
/// <param name="Factor">Positions are divided by it (<see cref="RopeKind.Linear"/>), or low frequencies are (<see cref="RopeKind.Llama3"/>); 1 otherwise.</param>
/// <param name="OriginalContext">Tokens that <see cref="RopeKind.Llama3"/> was first trained on; 0 otherwise.</param>
public sealed record RopeParameters(RopeKind Kind, float Theta, float Factor, float LowFrequency, float HighFrequency, int OriginalContext);

/// <summary>What <c>config.json</c> of Hugging Face's layout says about the computation. Immutable.</summary>
public sealed record ModelConfiguration
{
    /// <summary>Most bytes of a <c>config.json</c>: published ones have a few thousand.</summary>
    public const int MaxBytes = 1 << 20;

    public required ModelArchitecture Architecture { get; init; }

    /// <summary>Columns of a logit row.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>Floats in a hidden state.</summary>
    public required int Hidden { get; init; }

    public required int Intermediate { get; init; }

    public required int Layers { get; init; }

    public required int Heads { get; init; }

    /// <summary>Heads of keys and values; divides <see cref="Heads"/>.</summary>
    public required int KvHeads { get; init; }

    /// <summary>Floats in a head. Even.</summary>
    public required int HeadDim { get; init; }

    /// <summary>Most tokens of one sequence.</summary>
    public required int Context { get; init; }

    /// <summary>Whether the output layer is the embedding.</summary>
    public required bool TiedEmbeddings { get; init; }

    public required float NormEpsilon { get; init; }

    public required RopeParameters Rope { get; init; }

    /// <summary>Tokens that end an answer, as far as this file says.</summary>
    public IReadOnlyList<int> EndTokens { get; init; } = [];

    /// <summary>Whether queries, keys and values have biases.</summary>
    public required bool AttentionBias { get; init; }

    /// <summary>Whether attention's output has one too: Qwen2 has the others only.</summary>
    public bool OutputBias => AttentionBias && Architecture != ModelArchitecture.Qwen2;

    /// <exception cref="LanguageModelLoadException">A field is missing, malformed, or asks for something that is not computed here; the message names it.</exception>
    public static ModelConfiguration Parse(ReadOnlyMemory<byte> json) => ConfigurationReader.Read(json);
}
