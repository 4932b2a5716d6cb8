namespace OpenGradient.Engine.TorchSharp;

/// <summary>How libtorch computes under TorchSharp, for the whole process.</summary>
public sealed record TorchSharpOptions
{
    /// <summary>Whether a GPU may round the factors of float products to 10 bits.</summary>
    public bool AllowTf32 { get; init; }
}
