using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.LanguageModels.Kernels;

namespace OpenGradient.Engine.Hosting.LanguageModels;

/// <summary>The kernel library's entry in the evidence.</summary>
internal static class KernelsEvidence
{
    /// <summary>Name and digest where a language model is configured and the library is there. Without it only folders that ONNX Runtime executes are served.</summary>
    public static IEnumerable<(string Name, Hash256 Digest)> Of(HostConfiguration configuration)
    {
        if (configuration.LanguageModels.Count == 0) return [];
        try
        {
            return [("libog_kernels", KernelLibrary.Load(configuration.Kernels.Library).Digest)];
        }
        catch (KernelLibraryException) when (configuration.Kernels.Library is null)
        {
            // A model that needs it says so when it is loaded.
            return [];
        }
    }
}
