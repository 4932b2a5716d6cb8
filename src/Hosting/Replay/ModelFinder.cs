using OpenGradient.Engine.Formats;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Hosting.Replay;

/// <summary>Finds the model that a receipt names under a folder of models. The name narrows the search; the identity decides.</summary>
internal static class ModelFinder
{
    private static readonly string[] Endings = ["*.onnx", "*.pt", "*.ts"];

    /// <summary>The file whose identity is the receipt's; where none is, the last of that name, whose identity then tells what is wrong.</summary>
    /// <param name="folder">A model's folder, or a folder of models' folders and files.</param>
    /// <exception cref="ConfigurationException">Nothing of that name is there.</exception>
    public static string Find(string folder, StatementContext context, Func<string, Hash256> identityOf)
    {
        if (!Directory.Exists(folder)) throw new ConfigurationException([$"'{folder}' is neither a model's file nor a folder of models"]);
        string? named = null;
        foreach (var path in Candidates(folder).Where(candidate => candidate.Name == context.ModelName).Select(candidate => candidate.Path).Where(File.Exists))
        {
            named = path;
            if (IsModel(path, context.ModelIdentity, identityOf)) return path;
        }

        return named ?? throw new ConfigurationException([$"no model named '{context.ModelName}' is in '{folder}'; name its file"]);
    }

    private static bool IsModel(string path, Hash256 identity, Func<string, Hash256> identityOf)
    {
        try
        {
            return identityOf(path) == identity;
        }
        catch (ModelLoadException)
        {
            // One damaged file does not hide the right one; where it is the only one, the replay says what is wrong with it.
            return false;
        }
    }

    private static IEnumerable<(string Name, string Path)> Candidates(string folder)
    {
        foreach (var each in new[] { folder }.Concat(ModelFolder.Below(folder).Select(model => model.Path)).Distinct(StringComparer.Ordinal))
        {
            if (!File.Exists(Path.Combine(each, "model.json")) || ModelFolder.IsLanguageModel(each)) continue;
            var options = ModelFolder.Read(new ModelConfiguration { Path = each }, new OnnxRuntimeConfiguration());
            yield return (options.Name, options.Path);
        }

        foreach (var file in Endings.SelectMany(ending => Directory.EnumerateFiles(folder, ending).Order(StringComparer.Ordinal))) yield return (Path.GetFileNameWithoutExtension(file), file);
    }
}
