namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>One tensor of a safetensors file: row-major, little-endian.</summary>
/// <param name="Type">Element type as the file writes it, for example <c>BF16</c>.</param>
/// <param name="Shape">Dimensions; none for a single element.</param>
/// <param name="Offset">Of its first byte, from where the file's data begins.</param>
/// <param name="Length">Bytes.</param>
public sealed record SafetensorsTensor(string Name, string Type, IReadOnlyList<long> Shape, long Offset, long Length)
{
    /// <summary>For example <c>BF16 [64, 32]</c>.</summary>
    public string Description => $"{Type} [{string.Join(", ", Shape)}]";
}
