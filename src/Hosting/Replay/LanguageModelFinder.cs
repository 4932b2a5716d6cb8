using System.Text.Json;
using OpenGradient.Engine.Hosting.Configuration;

namespace OpenGradient.Engine.Hosting.Replay;

/// <summary>Finds the folder of the language model that a receipt names. Its identity is checked once it is open.</summary>
internal static class LanguageModelFinder
{
    private static readonly string[] Marks = ["config.json", "genai_config.json"];

    /// <param name="path">The model's folder, or a folder of models' folders.</param>
    /// <exception cref="ConfigurationException">Nothing of that name is there.</exception>
    public static string Find(string path, string name)
    {
        if (!Directory.Exists(path)) throw new ConfigurationException([$"'{path}' is not a folder: name the language model's, or one that it is in"]);
        if (IsModel(path)) return path;
        return Directory.EnumerateDirectories(path).Order(StringComparer.Ordinal).Where(IsModel).FirstOrDefault(folder => NameOf(folder) == name)
            ?? throw new ConfigurationException([$"no language model named '{name}' is in '{path}'; name its folder"]);
    }

    private static bool IsModel(string folder) => Marks.Any(mark => File.Exists(Path.Combine(folder, mark)));

    private static string NameOf(string folder)
    {
        var file = Path.Combine(folder, "model.json");
        try
        {
            if (!File.Exists(file)) return Path.GetFileName(Path.TrimEndingDirectorySeparator(folder));
            using var description = JsonDocument.Parse(File.ReadAllBytes(file));
            return description.RootElement.GetProperty("name").GetString() ?? "";
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
