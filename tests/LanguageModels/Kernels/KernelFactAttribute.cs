using OpenGradient.Engine.LanguageModels.Kernels;

namespace OpenGradient.Engine.LanguageModels.Tests.Kernels;

/// <summary>A test that needs libog_kernels.so; skipped, with the reason shown, where it was not built.</summary>
internal sealed class KernelFactAttribute : FactAttribute
{
    public KernelFactAttribute() => Skip = Kernel.Missing;
}

/// <inheritdoc cref="KernelFactAttribute"/>
internal sealed class KernelTheoryAttribute : TheoryAttribute
{
    public KernelTheoryAttribute() => Skip = Kernel.Missing;
}

internal static class Kernel
{
    /// <summary>Why there is no library, or null when there is one.</summary>
    public static string? Missing { get; } = Look();

    private static string? Look()
    {
        try
        {
            KernelLibrary.Load();
            return null;
        }
        catch (KernelLibraryException error)
        {
            return error.Message;
        }
    }
}
