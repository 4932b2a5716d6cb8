using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Configuration;
using OpenGradient.Engine.Models;
using OpenGradient.Engine.Torch;

namespace OpenGradient.Engine.Hosting.Backends;

/// <summary>libtorch's entries in the evidence.</summary>
public static class TorchEvidence
{
    /// <summary>Names and digests where a TorchScript model is configured and the library is there; a model that needs it says so when it is loaded.</summary>
    internal static IEnumerable<(string Name, Hash256 Digest)> Of(HostConfiguration configuration)
    {
        if (!IsNeeded(configuration)) return [];
        try
        {
            return [.. configuration.Torch.Load().Info.Files.Select(file => (Path.GetFileNameWithoutExtension(file.Name), file.Digest))];
        }
        catch (TorchException) when (configuration.Torch.Library is null)
        {
            return [];
        }
    }

    /// <summary>Whether a configured model is TorchScript.</summary>
    public static bool IsNeeded(HostConfiguration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        return configuration.Models.Any(model => IsTorchScript(model, configuration));
    }

    private static bool IsTorchScript(ModelConfiguration model, HostConfiguration configuration)
    {
        try
        {
            return ModelFormats.OfFile(ModelFolder.Read(model, configuration.OnnxRuntime, configuration.Torch).Path) == ModelFormat.TorchScript;
        }
        catch (ConfigurationException)
        {
            // The load says what is wrong with it.
            return false;
        }
    }
}
