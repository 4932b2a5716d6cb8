using OpenGradient.Engine.Backends;
using OpenGradient.Engine.Formats;
using OpenGradient.Engine.LanguageModels.Loading;
using OpenGradient.Engine.Models;
using OpenGradient.Engine.OnnxRuntime;

namespace OpenGradient.Engine.LanguageModels.OnnxRuntime;

/// <summary>
/// A folder's files, each read once. The identity is the tree over configuration, model (with the files that keep its weights)
/// and whatever turns text into tokens and back (docs/formats.md, "Identity of a language model").
/// </summary>
internal sealed class GenAiFiles : IDisposable
{
    // Published configurations have some kilobytes.
    private const int MaxConfigBytes = 1 << 20;

    private GenAiFiles(GenAiConfig config, ModelArtifact artifact, Hash256 identity) => (Config, Artifact, Identity) = (config, artifact, identity);

    public GenAiConfig Config { get; }

    public ModelArtifact Artifact { get; }

    public Hash256 Identity { get; }

    /// <param name="texts">What turns text into tokens and back; parsed by whoever read it.</param>
    /// <exception cref="LanguageModelLoadException">A file is missing, too large or malformed; the message names it.</exception>
    public static GenAiFiles Read(string folder, string name, FolderTexts texts, OnnxRuntimeLibrary library, CancellationToken cancellation)
    {
        var configBytes = FolderFile.Read(folder, GenAiConfig.FileName, MaxConfigBytes);
        var config = GenAiConfig.Parse(configBytes);
        var roots = texts.Roots().Append((Name: GenAiConfig.FileName, Root: RootOf(configBytes))).ToList();
        if (roots.Any(root => root.Name == config.ModelFile))
            throw new LanguageModelLoadException($"{GenAiConfig.FileName}: 'model.decoder.filename': '{config.ModelFile}' is another file of the folder");
        var artifact = ReadModel(Path.Combine(folder, config.ModelFile), name, library, cancellation);
        roots.Add((config.ModelFile, artifact.Identity));
        return new GenAiFiles(config, artifact, ModelIdentity.OfFiles(roots));
    }

    public void Dispose() => Artifact.Dispose();

    private static ModelArtifact ReadModel(string path, string name, OnnxRuntimeLibrary library, CancellationToken cancellation)
    {
        try
        {
            return new ArtifactReader(new OnnxRuntimeBackend(library)).Read(new ModelOptions { Name = name, Path = path }, cancellation);
        }
        catch (ModelLoadException error)
        {
            throw new LanguageModelLoadException(error.Message, error);
        }
    }

    private static Hash256 RootOf(ReadOnlySpan<byte> bytes)
    {
        using var identity = new ModelIdentity();
        identity.Append(bytes);
        return identity.Finish();
    }
}
