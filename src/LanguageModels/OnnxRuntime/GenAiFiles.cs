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
    // Published configurations have some kilobytes, tokenizers some megabytes.
    private const long MaxConfigBytes = 1 << 20, MaxTextBytes = 256 << 20;

    /// <summary>What else of the folder decides which tokens a text is, if it is there.</summary>
    private static readonly string[] TextFiles =
        ["added_tokens.json", "chat_template.jinja", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"];

    private GenAiFiles(GenAiConfig config, ModelArtifact artifact, Hash256 identity) => (Config, Artifact, Identity) = (config, artifact, identity);

    public GenAiConfig Config { get; }

    public ModelArtifact Artifact { get; }

    public Hash256 Identity { get; }

    /// <exception cref="LanguageModelLoadException">A file is missing, too large or malformed; the message names it.</exception>
    public static GenAiFiles Read(string folder, string name, OnnxRuntimeLibrary library, CancellationToken cancellation)
    {
        var configBytes = ReadWhole(folder, GenAiConfig.FileName, MaxConfigBytes);
        var config = GenAiConfig.Parse(configBytes);
        var roots = new List<(string Name, Hash256 Root)> { (GenAiConfig.FileName, RootOf(configBytes)) };
        foreach (var file in TextFiles.Where(file => File.Exists(Path.Combine(folder, file))))
        {
            cancellation.ThrowIfCancellationRequested();
            roots.Add((file, RootOf(ReadWhole(folder, file, MaxTextBytes))));
        }

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

    private static byte[] ReadWhole(string folder, string file, long most)
    {
        try
        {
            using var stream = new FileStream(Path.Combine(folder, file), FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            // A device or FIFO has no length that says how much would come.
            if (!stream.CanSeek) throw new LanguageModelLoadException($"'{file}' is not a regular file");
            if (stream.Length > most) throw new LanguageModelLoadException($"'{file}' has {stream.Length} bytes, more than {most}");
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new LanguageModelLoadException($"'{file}' cannot be read: {error.Message}", error);
        }
    }

    private static Hash256 RootOf(ReadOnlySpan<byte> bytes)
    {
        using var identity = new ModelIdentity();
        identity.Append(bytes);
        return identity.Finish();
    }
}
