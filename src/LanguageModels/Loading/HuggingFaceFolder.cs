using OpenGradient.Engine.LanguageModels.Kernels;
using OpenGradient.Engine.LanguageModels.Runtimes;

namespace OpenGradient.Engine.LanguageModels.Loading;

/// <summary>Opens a folder in Hugging Face's layout on our own kernels.</summary>
internal static class HuggingFaceFolder
{
    /// <summary>Published weights are no more precise than this, and nothing is lost by it.</summary>
    private const WeightScheme UsualScheme = WeightScheme.Bf16;

    /// <param name="before">Called once headers and configuration are checked and before weights are read, for what should fail before they are.</param>
    /// <exception cref="LanguageModelLoadException">Every failure but cancellation.</exception>
    public static KernelRuntime Open(string folder, LanguageModelLoadOptions options, Action<LoadedTexts> before, CancellationToken cancellation)
    {
        try
        {
            var scheme = options.Scheme ?? ModelSettings.Read(folder).Scheme ?? UsualScheme;
            var texts = FolderTexts.Read(folder);
            using var loader = new KernelModelLoader(folder, texts);
            before(new LoadedTexts(texts, loader.Configuration));
            cancellation.ThrowIfCancellationRequested();
            return loader.Load(scheme, options, cancellation);
        }
        catch (Exception error) when (error is KernelLibraryException or TokenRuntimeException or OverflowException or OutOfMemoryException)
        {
            throw new LanguageModelLoadException(error.Message, error);
        }
    }
}

/// <summary>What is known of a folder before its weights are read.</summary>
internal sealed record LoadedTexts(FolderTexts Texts, ModelConfiguration Configuration);
