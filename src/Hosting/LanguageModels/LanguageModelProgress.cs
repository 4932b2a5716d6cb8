namespace OpenGradient.Engine.Hosting.LanguageModels;

/// <summary>How far the loading of a language model is. For the operator's log.</summary>
/// <param name="Folder">As the configuration names it.</param>
/// <param name="Bytes">Of the weights, read and packed so far.</param>
public sealed record LanguageModelProgress(string Folder, long Bytes, long TotalBytes)
{
    /// <summary>0 to 100.</summary>
    public int Percent => TotalBytes <= 0 ? 100 : (int)Math.Clamp(100 * (double)Bytes / TotalBytes, 0, 100);
}
