using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Tests;

/// <summary>Whether libtorch is here: tests that need it are visibly skipped without.</summary>
public static class Libtorch
{
    /// <summary>Why it is not, or is not to be used; null when it is.</summary>
    public static string? Missing { get; } = Look();

    private static string? Look()
    {
        if (Environment.GetEnvironmentVariable("OG_TORCH") == "skip") return "OG_TORCH=skip";
        try
        {
            TorchLibrary.Load();
            return null;
        }
        catch (TorchException error)
        {
            return error.Message;
        }
    }
}
